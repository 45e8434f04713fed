from prometheus_client import parser

from serving.server import metrics


def samples(page):
    """Returns (name, labels) to value, as Prometheus reads the page."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_the_page_of_a_few_requests():
    counters = metrics.Metrics()
    counters.count_request("rest", "OK", 0.005)  # at a bound: inside it
    counters.count_request("rest", "OK", 0.006)
    counters.count_request("grpc", "NOT_FOUND", 99.0)
    counters.count_batch(3)

    found = samples(counters.render(version=7))

    rest, grpc = ("protocol", "rest"), ("protocol", "grpc")
    assert found["heed_requests_total", ("code", "OK"), rest] == 2
    assert found["heed_requests_total", ("code", "NOT_FOUND"), grpc] == 1
    name = "heed_request_latency_seconds"
    assert found[f"{name}_bucket", ("le", "0.002"), rest] == 0
    assert found[f"{name}_bucket", ("le", "0.005"), rest] == 1
    assert found[f"{name}_bucket", ("le", "0.01"), rest] == 2
    assert found[f"{name}_bucket", ("le", "+Inf"), rest] == 2
    assert found[f"{name}_sum", rest] == 0.005 + 0.006
    assert found[f"{name}_bucket", ("le", "5.0"), grpc] == 0
    assert found[f"{name}_count", grpc] == 1
    assert found["heed_batch_rows_bucket", ("le", "2.0")] == 0
    assert found["heed_batch_rows_bucket", ("le", "4.0")] == 1
    assert found[("heed_model_version",)] == 7
    assert not any(name.endswith("_created") for name, *_ in found)


def test_no_version_is_minus_one():
    assert samples(metrics.Metrics().render(None))[("heed_model_version",)] == -1


def test_servers_of_one_process_count_for_themselves():
    metrics.Metrics().count_batch(3)
    assert samples(metrics.Metrics().render(1))[("heed_batch_rows_count",)] == 0
