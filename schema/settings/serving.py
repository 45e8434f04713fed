"""How the embedded server answers, and what a caller may ask of it."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field

from schema.settings.base import NonNegative, Positive, Probability, Section

Seconds = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class ServingSettings(Section):
    """The embedded server; the defaults suit a machine of a few cores."""

    name: Annotated[str, Field(pattern=r"^[^/:]+$")] = "heed"
    """Of the model, in URLs and model specs."""
    version_labels: dict[Annotated[str, Field(pattern=r"^[^/:]+$")], Positive] = {}
    """Version by label, as in `stable = 17`. Labelled versions are kept in service
    beside the newest one, each with memory of its own, and are asked for by label."""
    max_batch_rows: Positive = 64
    """Rows (users) of several requests in one call of the model. More raises throughput
    under load and the latency of everyone in the batch. 1: no batching."""
    max_call_rows: Positive = 64
    """Rows of one request in one call. A larger request is asked in pieces, and others
    have their turn between them."""
    max_wait_ms: NonNegative = 0.0
    """How long a free worker waits for a fuller batch; 0: not at all."""
    max_queued_rows: Positive = 4_096
    """Rows that may wait; beyond it requests are refused as UNAVAILABLE, so that an
    overloaded server stays quick to answer."""
    num_workers: Annotated[int, Field(ge=0)] = 0
    """Calls of the model that run at the same time; 0: half as many as cores. More
    workers make smaller batches."""
    intra_op_threads: Annotated[int, Field(ge=0)] = 1
    """Threads that share one operation of a call; 0: as many as cores. A call is many
    small operations: to hand them to other threads takes longer than to compute them.
    Exact search of a large catalogue (`filtered`, `diverse`) gains from more."""
    max_rows: Positive = 4_096
    """Users in one request."""
    max_k: Positive = 1_000
    """Items for one user."""
    max_results: Positive = 100_000
    """Rows times the largest k of one request: the size of its answer."""
    max_elements: Positive = 4_194_304
    """Elements of one input tensor."""
    max_body_bytes: Positive = 16 * 1024**2
    """Of one request, after decompression."""
    request_timeout_sec: Seconds = 30.0
    """Requests are given up after it."""
    read_timeout_sec: Seconds = 10.0
    """A connection that has not sent a whole request so long after its first byte, or
    after it was opened, is closed."""
    idle_timeout_sec: Seconds = 75.0
    """A connection between two requests is closed after it."""
    max_connections: Positive = 1_024
    """Open at the same time, of each protocol."""
    lame_duck_sec: NonNegative = 2.0
    """After SIGTERM kept-alive connections are still answered so long, each answer with
    `Connection: close`, so that callers leave in good order."""
    drain_sec: Seconds = 20.0
    """Longest time that requests under way get at shutdown."""
    poll_interval_sec: Seconds = 1.0
    """Time between two looks for new versions."""
    unknown_actions: Literal["count", "refuse"] = "count"
    """What becomes of a request with an action that the model's feedback policy does
    not know: answered without it, counted and logged; or refused (400)."""

    request_log_dir: str = ""
    """Directory of the request log: what was asked and the slate that was shown, JSON
    Lines that `checks.request_log` reads. Empty: nothing is logged."""
    request_log_share: Probability = 1.0
    """Share of the users of requests that is logged, drawn at random."""
    request_log_max_bytes: Positive = 64 * 1024**2
    """A file is finished, and gets its final name, once it is so large."""
    request_log_max_files: Positive = 100
    """Finished files that are kept; the oldest are deleted."""
    request_log_salt_file: str = ""
    """File with a secret; user ids are logged as their keyed hash. Empty: as they
    are."""

    event_log_dir: str = ""
    """Directory of what people say on the what-if page: canonical events, JSON Lines,
    a span that `data.events` reads. Empty: nothing is logged."""

    def workers(self) -> int:
        """Returns how many calls of the model run at the same time."""
        return self.num_workers or max(1, (os.cpu_count() or 1) // 2)
