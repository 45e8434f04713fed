"""Commands that serve a pushed model."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands import shell

if TYPE_CHECKING:
    from schema import settings


ModelsOption = Annotated[
    pathlib.Path,
    typer.Option(
        "--models", "--model", help="Directory of versions, as TensorFlow Serving's."
    ),
]
RestPortOption = Annotated[int, typer.Option("--rest-port", help="0: any free.")]
GrpcPortOption = Annotated[int, typer.Option("--grpc-port", help="0: any free.")]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]


@shell.app.command(
    epilog="Example: heed serve --models runs/sample/serving_models/heed "
    "--set serving.max_k=100"
)
def serve(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 8500,
    host: HostOption = "127.0.0.1",
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Serve pushed models over TensorFlow Serving's REST and gRPC API."""
    with shell.clear_errors():
        chosen = shell.load(config, set_, reads=("serving",)).config.serving
        _serve(models, rest_port, grpc_port, host, chosen, explore=False)


@shell.app.command(
    epilog="Example: heed explore --models runs/sample/serving_models/heed"
)
def explore(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 0,
    host: HostOption = "127.0.0.1",
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Serve the what-if page: dislike something and see what changes."""
    with shell.clear_errors():
        chosen = shell.load(config, set_, reads=("serving",)).config.serving
        _serve(models, rest_port, grpc_port, host, chosen, explore=True)


@shell.app.command(
    epilog="Example: heed demo --models runs/sample/serving_models/heed "
    "--config movielens-small"
)
def demo(
    models: ModelsOption = pathlib.Path("runs/sample/serving_models/heed"),
    root: shell.RootOption = pathlib.Path("runs/demo"),
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 0,
    host: HostOption = "127.0.0.1",
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    config: Annotated[
        str, typer.Option("--config", metavar="NAME|PATH", help="Of the model's run.")
    ] = "movielens-small",
    set_: shell.SetOption = None,
) -> None:
    """Serve the what-if page, and write down what is clicked for the next run."""
    with shell.clear_errors():
        from pipeline import config as config_lib
        from pipeline import demo as demo_lib
        from serving.server import server

        resolved = config_lib.load(config, set_ or [])
        server.check_models_dir(models, resolved.config.serving.name)
        there = demo_lib.prepare(resolved, root)
        chosen = resolved.config.serving.model_copy(
            update={
                "event_log_dir": str(there.clicks),
                "request_log_dir": str(there.requests),
            }
        )
        typer.echo(
            f"What is clicked goes to {there.clicks}. Stop with Ctrl-C, then learn "
            f"from it:\n  heed run --config {there.config} --root {root}"
        )
        _serve(models, rest_port, grpc_port, host, chosen, True, browser)


def _serve(
    models: pathlib.Path,
    rest_port: int,
    grpc_port: int,
    host: str,
    chosen: settings.ServingSettings,
    explore: bool,
    browser: bool = False,
) -> None:
    import logging

    from serving.server import server

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    server.serve(
        models,
        rest_port=rest_port,
        grpc_port=grpc_port,
        host=host,
        explore=explore,
        chosen=chosen,
        on_ready=_open_page if browser else None,
    )


def _open_page(ready: dict[str, Any]) -> None:
    import threading
    import webbrowser

    # A browser of the terminal returns when it is left.
    url = (ready["explore_url"],)
    threading.Thread(target=webbrowser.open, args=url, daemon=True).start()
