"""The embedded server: a models directory behind REST and gRPC, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schema import errors, settings
from serving.bundle import versions

log = logging.getLogger(__name__)

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def check_models_dir(path: str | Path, model_name: str) -> Path:
    """Returns the directory to watch: the path, or its child of the model's name.

    An empty directory is fine: the first version may be pushed later.

    Raises:
      InputError: The path does not exist, or is a version itself.
    """
    path = Path(path)
    if not path.is_dir():
        raise errors.InputError(f"the models directory {path} does not exist")
    if (path / versions.MODEL_FILE).is_file():
        raise errors.InputError(
            f"{path} is one version of a model; give the directory above it, "
            f"{path.parent}, which holds all versions"
        )
    child = path / model_name
    if child.is_dir() and not versions.list_versions(path):
        return child
    return path


class Server:
    """Both protocols on top of one model manager; start and stop in one loop."""

    def __init__(
        self,
        models_dir: str | Path,
        *,
        rest_port: int,
        grpc_port: int,
        host: str = "127.0.0.1",
        explore: bool = False,
        chosen: settings.ServingSettings | None = None,
    ) -> None:
        """Checks the directory; nothing is loaded or bound before `start`.

        Args:
          models_dir: Holds `VERSION/saved_model.pb`, or `heed/VERSION/...`.
          rest_port: 0 picks a free one.
          grpc_port: 0 picks a free one.
          host: Address to bind; the default is reachable from this machine alone.
          explore: Whether to serve the what-if page as well.
          chosen: How to answer; None: the defaults.

        Raises:
          InputError: The directory is no models directory.
        """
        self._settings = chosen or settings.ServingSettings()
        self._models_dir = check_models_dir(models_dir, self._settings.name)
        self._host = host
        self._ports = {"rest": rest_port, "grpc": grpc_port}
        self._explore = explore

    async def start(self) -> dict[str, Any]:
        """Loads, warms up and binds.

        Returns:
          `host`, `rest_port`, `grpc_port`, `model`, `version` (None: none loaded yet)
          and, with the page, `explore_url`.

        Raises:
          InputError: A port is taken.
        """
        from aiohttp import web

        from serving.server import (
            connections,
            endpoint,
            event_log,
            grpc_service,
            manager,
            memory,
            metrics,
            request_log,
            rest,
        )

        chosen = self._settings
        counters = metrics.Metrics(chosen.name)
        self._manager = manager.ModelManager(
            self._models_dir,
            chosen,
            counters=counters,
        )
        self._log = (
            request_log.RequestLog(chosen, counters) if chosen.request_log_dir else None
        )
        self._said = (
            event_log.EventLog(chosen.event_log_dir) if chosen.event_log_dir else None
        )
        answers = endpoint.Endpoint(
            self._manager, chosen, counters, self._log, self._said
        )
        app = rest.build_app(answers)
        if self._explore:
            from serving.explorer import page

            page.add_routes(app, answers)
        self._answers = answers
        # Ports first: a taken one should be told in a second, not after the load.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=chosen.drain_sec
        )
        await self._runner.setup()
        self._grpc = grpc_service.build_server(answers)
        self._listener = connections.Listener(self._runner, chosen)
        with _port_errors("--rest-port", self._ports["rest"]):
            rest_port = await self._listener.start(self._host, self._ports["rest"])
        with _port_errors("--grpc-port", self._ports["grpc"]):
            grpc_port = self._grpc.add_insecure_port(
                f"{self._host}:{self._ports['grpc']}"
            )
            if grpc_port == 0:
                raise OSError("cannot bind")
        memory.settle()
        await self._manager.start()
        await self._grpc.start()
        ready = {
            "host": self._host,
            "rest_port": rest_port,
            "grpc_port": grpc_port,
            "model": chosen.name,
            "version": self._manager.current_version,
        }
        if self._explore:
            ready["explore_url"] = f"http://{self._host}:{rest_port}/"
        if ready["version"] is None:
            log.warning("no version in %s can be served yet", self._models_dir)
        return ready

    async def stop(self) -> None:
        """Refuses new requests, answers those under way, and lets go of the model.

        Kept-alive connections are answered for `lame_duck_sec`, and told to close.
        """
        drain_sec = self._settings.drain_sec
        self._answers.is_draining = True
        self._listener.close()

        async def stop_rest() -> None:
            await self._listener.wait_until_left(self._settings.lame_duck_sec)
            await self._runner.cleanup()

        await asyncio.gather(self._grpc.stop(drain_sec), stop_rest())
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._manager.stop(), drain_sec)
        if self._log is not None:
            await asyncio.to_thread(self._log.close)
        if self._said is not None:
            self._said.close()


@contextlib.contextmanager
def _port_errors(option: str, port: int) -> Any:
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise errors.InputError(
            f"port {port} cannot be used ({error}); give another {option}, or 0 for "
            "any free one"
        ) from error


def serve(
    models_dir: str | Path,
    rest_port: int,
    grpc_port: int,
    host: str = "127.0.0.1",
    explore: bool = False,
    on_ready: Callable[[dict[str, Any]], None] | None = None,
    chosen: settings.ServingSettings | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains; blocks.

    It takes what `Server` takes, and `on_ready`, which is called once with what
    `Server.start` returns, when requests are answered. Beside it one line with the
    ports goes to standard output.

    Raises:
      InputError: The directory is no models directory, or a port is taken.
    """
    chosen = chosen or settings.ServingSettings()
    server = Server(
        models_dir,
        rest_port=rest_port,
        grpc_port=grpc_port,
        host=host,
        explore=explore,
        chosen=chosen,
    )
    _set_threads(chosen.intra_op_threads)
    asyncio.run(_serve(server, on_ready))


def _set_threads(intra_op: int) -> None:
    """Sets the threads of one operation, of the whole process."""
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(intra_op)
    except RuntimeError:
        log.warning(
            "TensorFlow runs in this process already: `serving.intra_op_threads` = %d "
            "has no effect",
            intra_op,
        )


async def _serve(
    server: Server, on_ready: Callable[[dict[str, Any]], None] | None
) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        stopped.set()
        # A second signal means: now.
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)

    for number in _STOP_SIGNALS:
        # Only the main thread of a process can take signals.
        with contextlib.suppress(ValueError, RuntimeError):
            loop.add_signal_handler(number, stop)
    ready = await server.start()
    sys.stdout.write(
        f"Serving {ready['model']} version {ready['version']}: "
        f"REST http://{ready['host']}:{ready['rest_port']}, "
        f"gRPC {ready['host']}:{ready['grpc_port']}\n"
    )
    if "explore_url" in ready:
        sys.stdout.write(f"Open {ready['explore_url']} in a browser\n")
    sys.stdout.flush()
    if on_ready is not None:
        on_ready(ready)
    await stopped.wait()
    log.info("stopping: no new requests, draining")
    await server.stop()
