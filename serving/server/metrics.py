"""Counts what the server does, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

import prometheus_client

LATENCY_BUCKETS_SEC = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
BATCH_BUCKETS_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

# A time of creation beside each counter tells nothing that a scrape does not. (The
# name is there because the function has no types.)
_disable: Callable[[], None] = prometheus_client.disable_created_metrics
_disable()


class Metrics:
    """All counters of one server; another server in the process has its own."""

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "heed_requests_total",
            "Predict requests that were answered or refused.",
            ("protocol", "code"),
            registry=self._registry,
        )
        self._latency = prometheus_client.Histogram(
            "heed_request_latency_seconds",
            "From the whole request read to the answer.",
            ("protocol",),
            buckets=LATENCY_BUCKETS_SEC,
            registry=self._registry,
        )
        self._batches = prometheus_client.Histogram(
            "heed_batch_rows",
            "Rows (users) in one call of the model.",
            buckets=BATCH_BUCKETS_ROWS,
            registry=self._registry,
        )
        self._version = prometheus_client.Gauge(
            "heed_model_version",
            "The version in service; -1: none.",
            registry=self._registry,
        )

    def count_request(self, protocol: str, code: str, latency_sec: float) -> None:
        """Counts one answered predict request.

        Args:
          protocol: `rest` or `grpc`.
          code: The gRPC status name; `OK` for an answer.
          latency_sec: From the whole request read to the answer.
        """
        self._requests.labels(protocol, code).inc()
        self._latency.labels(protocol).observe(latency_sec)

    def count_batch(self, rows: int) -> None:
        """Counts one call of the model."""
        self._batches.observe(rows)

    def render(self, version: int | None) -> str:
        """Returns the page that Prometheus reads.

        Args:
          version: The version in service; None: none.
        """
        self._version.set(-1 if version is None else version)
        return prometheus_client.generate_latest(self._registry).decode()
