"""Counts what the server does, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import prometheus_client
from prometheus_client import metrics_core, registry

from serving.bundle import signature

LATENCY_BUCKETS_SEC = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
TFS_BUCKETS_USEC = tuple(10 * 1.8**power for power in range(33))
BATCH_BUCKETS_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

# A time of creation beside each counter tells nothing that a scrape does not. (The
# name is there because the function has no types.)
_disable: Callable[[], None] = prometheus_client.disable_created_metrics
_disable()


class _TfsRequestCount(registry.Collector):
    """Our counts under the name that dashboards of TensorFlow Serving ask for.

    The client library adds `_total` to every counter; that name has none.
    """

    def __init__(self, requests: prometheus_client.Counter, model_name: str) -> None:
        self._requests = requests
        self._model_name = model_name

    def collect(self) -> Iterator[metrics_core.Metric]:
        name = ":tensorflow:serving:request_count"
        metric = metrics_core.Metric(name, "The total number of requests.", "unknown")
        counts: dict[str, float] = {}
        for family in self._requests.collect():
            for sample in family.samples:
                status = sample.labels["code"]
                counts[status] = counts.get(status, 0.0) + sample.value
        for status, count in counts.items():
            labels = {"model_name": self._model_name, "status": status}
            metric.add_sample(name, labels, count)
        yield metric


class Metrics:
    """All counters of one server; another server in the process has its own."""

    def __init__(self, model_name: str = signature.DEFAULT_MODEL_NAME) -> None:
        """Starts at nothing; `model_name` is a label of TensorFlow Serving's names."""
        self._registry = prometheus_client.CollectorRegistry()
        self._model_name = model_name
        self._requests = prometheus_client.Counter(
            "heed_requests_total",
            "Predict requests that were answered or refused.",
            ("protocol", "code", "version"),
            registry=self._registry,
        )
        self._latency = prometheus_client.Histogram(
            "heed_request_latency_seconds",
            "From the whole request read to the answer.",
            ("protocol", "version"),
            buckets=LATENCY_BUCKETS_SEC,
            registry=self._registry,
        )
        self._tfs_latency = prometheus_client.Histogram(
            ":tensorflow:serving:request_latency",
            "The same, in microseconds and under TensorFlow Serving's name.",
            ("model_name", "API", "entrypoint"),
            buckets=TFS_BUCKETS_USEC,
            registry=self._registry,
        )
        self._unknown_actions = prometheus_client.Counter(
            "heed_unknown_actions_total",
            "Elements of histories with an action that the feedback policy does not "
            "know: a dislike among them is lost.",
            registry=self._registry,
        )
        self._unknown_items = prometheus_client.Counter(
            "heed_unknown_items_total",
            "Elements of histories with an item that the model does not know.",
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

        self._logged = prometheus_client.Counter(
            "heed_request_log_lines_total",
            "Users written to the request log; requests dropped as the disk was too "
            "slow; requests that could not be written.",
            ("outcome",),
            registry=self._registry,
        )
        self._registry.register(_TfsRequestCount(self._requests, model_name))
        # Memory, CPU, files: of this process.
        prometheus_client.ProcessCollector(registry=self._registry)

    def count_request(
        self, protocol: str, code: str, version: int | None, latency_sec: float
    ) -> None:
        """Counts one answered predict request.

        Args:
          protocol: `rest` or `grpc`.
          code: The gRPC status name; `OK` for an answer.
          version: That was asked; None: the request did not get so far.
          latency_sec: From the whole request read to the answer.
        """
        asked = "" if version is None else str(version)
        self._requests.labels(protocol, code, asked).inc()
        self._latency.labels(protocol, asked).observe(latency_sec)
        self._tfs_latency.labels(self._model_name, "predict", protocol.upper()).observe(
            latency_sec * 1e6
        )

    def count_unknown_actions(self, number: int) -> None:
        """Counts elements whose action the model does not know."""
        self._unknown_actions.inc(number)

    def count_unknown_items(self, number: int) -> None:
        """Counts elements whose item the model does not know."""
        self._unknown_items.inc(number)

    def count_logged(self, outcome: str, number: int) -> None:
        """Counts what became of the request log: written, dropped or failed."""
        self._logged.labels(outcome).inc(number)

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
