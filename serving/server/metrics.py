"""Counts what the server does, in the text format that Prometheus scrapes."""

from __future__ import annotations

import bisect
import collections

LATENCY_BUCKETS_SEC = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
BATCH_BUCKETS_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """Counts values by upper bound, the bound included."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Starts empty; `bounds` ascend."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Counts one value."""
        self._counts[bisect.bisect_left(self._bounds, value)] += 1
        self._sum += value

    def render(self, name: str, labels: str = "") -> list[str]:
        """Returns cumulative buckets, sum and count as lines."""
        lines = []
        total = 0
        separator = "," if labels else ""
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{{labels}{separator}le="{bound}"}} {total}')
        tail = f"{{{labels}}}" if labels else ""
        return [
            *lines,
            f"{name}_sum{tail} {self._sum:.9g}",
            f"{name}_count{tail} {total}",
        ]


class Metrics:
    """All counters of one server; touched by its event loop alone."""

    def __init__(self) -> None:
        """Starts at zero."""
        self._requests: collections.Counter[tuple[str, str]] = collections.Counter()
        self._latency: dict[str, Histogram] = {}
        self._batches = Histogram(BATCH_BUCKETS_ROWS)

    def count_request(self, protocol: str, code: str, latency_sec: float) -> None:
        """Counts one answered predict request.

        Args:
          protocol: `rest` or `grpc`.
          code: The gRPC status name; `OK` for an answer.
          latency_sec: From the whole request read to the answer.
        """
        self._requests[protocol, code] += 1
        if protocol not in self._latency:
            self._latency[protocol] = Histogram(LATENCY_BUCKETS_SEC)
        self._latency[protocol].observe(latency_sec)

    def count_batch(self, rows: int) -> None:
        """Counts one call of the model."""
        self._batches.observe(rows)

    def render(self, version: int | None) -> str:
        """Returns the page that Prometheus reads.

        Args:
          version: The version in service; None: none.
        """
        lines = ["# TYPE heed_requests_total counter"]
        for (protocol, code), count in sorted(self._requests.items()):
            labels = f'protocol="{protocol}",code="{code}"'
            lines.append(f"heed_requests_total{{{labels}}} {count}")
        lines.append("# TYPE heed_request_latency_seconds histogram")
        for protocol, histogram in sorted(self._latency.items()):
            labels = f'protocol="{protocol}"'
            lines += histogram.render("heed_request_latency_seconds", labels)
        lines.append("# TYPE heed_batch_rows histogram")
        lines += self._batches.render("heed_batch_rows")
        lines.append("# TYPE heed_model_version gauge")
        lines.append(f"heed_model_version {-1 if version is None else version}")
        return "\n".join(lines) + "\n"
