"""Answers requests whatever protocol they came by; REST and gRPC wrap it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Iterator

from schema import settings
from serving.bundle import faults, signature
from serving.server import event_log, manager, metrics, request_log

USER_ID_HEADER = "x-heed-user-id"
"""HTTP header, or gRPC metadata, with which a caller says for whom it asks."""


@dataclasses.dataclass(frozen=True)
class Target:
    """Which model a request means, as both protocols express it."""

    name: str
    """The model."""
    version: int | None = None
    """One version; None: the newest, unless a label names one."""
    label: str = ""
    """A version label; empty: none."""


@dataclasses.dataclass
class Call:
    """What is known of a request while it is answered."""

    version: int | None = None
    """The version that answers it; None: not yet chosen."""


class Endpoint:
    """The model's calls: predict, metadata and status."""

    def __init__(
        self,
        models: manager.ModelManager,
        chosen: settings.ServingSettings | None = None,
        counters: metrics.Metrics | None = None,
        log: request_log.RequestLog | None = None,
        said: event_log.EventLog | None = None,
    ) -> None:
        """Wraps a manager.

        Args:
          models: Holds the version in service.
          chosen: The model's name, limits and timeouts; None: the defaults.
          counters: Where the protocols count their requests.
          log: Where answered requests are written; None: nowhere.
          said: Where what people say on the page is written; None: nowhere.
        """
        self.models = models
        self.counters = counters or metrics.Metrics()
        self.settings = chosen or settings.ServingSettings()
        self._log = log
        self.said = said
        """Where what people say on the page is written; None: nowhere."""
        self.is_draining = False
        """Whether the server is about to stop."""

    @property
    def model_name(self) -> str:
        """The one name that requests may use."""
        return self.settings.name

    @contextlib.contextmanager
    def counted(self, protocol: str) -> Iterator[Call]:
        """Counts the predict request that is answered inside, whatever becomes of it.

        Args:
          protocol: `rest` or `grpc`.
        """
        call = Call()
        start_sec = time.perf_counter()
        code = "INTERNAL"
        try:
            yield call
            code = "OK"
        except faults.RequestError as error:
            code = error.code
            raise
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        finally:
            latency_sec = time.perf_counter() - start_sec
            self.counters.count_request(protocol, code, call.version, latency_sec)

    def servable(self, target: Target) -> manager.Servable:
        """Returns the version that a request means; raises NOT_FOUND."""
        self._check_target(target)
        try:
            return self.models.get(target.version, target.label)
        except faults.RequestError as error:
            raise faults.RequestError(
                error.code, f'model "{self.model_name}": {error}'
            ) from error

    def _check_target(self, target: Target) -> None:
        if target.name != self.model_name:
            raise faults.RequestError(
                "NOT_FOUND",
                f'there is no model "{target.name}"; this server has '
                f'"{self.model_name}"',
            )
        if target.label and target.version is not None:
            raise faults.invalid(
                f"a request names a version or a label; got version {target.version} "
                f'and label "{target.label}"'
            )

    async def predict(
        self,
        servable: manager.Servable,
        inputs: signature.Tensors,
        signature_name: str,
        output_filter: tuple[str, ...] = (),
    ) -> signature.Tensors:
        """Returns the outputs for one request.

        Args:
          servable: What `servable` returned for the request.
          inputs: Arrays by input name, not yet checked.
          signature_name: Which signature; empty: the default one.
          output_filter: Outputs to return; empty: all.

        Raises:
          RequestError: With the code for the caller.
        """
        name = signature_name or signature.DEFAULT_SIGNATURE
        known = servable.model.find_signature(name).outputs
        if unknown := [one for one in output_filter if one not in known]:
            raise faults.invalid(
                f'unknown output "{unknown[0]}" in the output filter; the signature '
                f"has {', '.join(sorted(known))}"
            )
        timeout_sec = self.settings.request_timeout_sec
        try:
            outputs = await asyncio.wait_for(
                servable.predict(inputs, name), timeout_sec
            )
        except asyncio.TimeoutError as error:
            raise faults.RequestError(
                "DEADLINE_EXCEEDED", f"no answer within {timeout_sec:g} s"
            ) from error
        if not output_filter:
            return outputs
        return {name: outputs[name] for name in output_filter}

    def record(
        self,
        servable: manager.Servable,
        inputs: signature.Tensors,
        outputs: signature.Tensors,
        user_id: str | None,
    ) -> None:
        """Puts an answered request into the request log, where there is one."""
        if self._log is not None:
            now_ms = time.time_ns() // 1_000_000
            version = servable.version.number
            self._log.add(
                request_log.Answered(now_ms, version, inputs, outputs, user_id)
            )

    def statuses(self, target: Target) -> list[manager.VersionStatus]:
        """Returns the state of one version or of all; raises NOT_FOUND."""
        self._check_target(target)
        statuses = self.models.statuses()
        wanted = target.version
        if target.label:
            wanted = self.servable(target).version.number
        if wanted is not None:
            statuses = [s for s in statuses if s.version == wanted]
        if not statuses:
            which = "" if wanted is None else f" {wanted}"
            raise faults.RequestError(
                "NOT_FOUND", f'model "{self.model_name}": no version{which} was found'
            )
        return statuses
