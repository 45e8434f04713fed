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
    counters.count_request("rest", "OK", 7, 0.005)  # at a bound: inside it
    counters.count_request("rest", "OK", 7, 0.006)
    counters.count_request("grpc", "NOT_FOUND", None, 99.0)
    counters.count_batch(3)

    found = samples(counters.render(version=7))

    rest, grpc = ("protocol", "rest"), ("protocol", "grpc")
    of_7, none = ("version", "7"), ("version", "")
    assert found["heed_requests_total", ("code", "OK"), rest, of_7] == 2
    assert found["heed_requests_total", ("code", "NOT_FOUND"), grpc, none] == 1
    name = "heed_request_latency_seconds"
    assert found[f"{name}_bucket", ("le", "0.002"), rest, of_7] == 0
    assert found[f"{name}_bucket", ("le", "0.005"), rest, of_7] == 1
    assert found[f"{name}_bucket", ("le", "0.01"), rest, of_7] == 2
    assert found[f"{name}_bucket", ("le", "+Inf"), rest, of_7] == 2
    assert found[f"{name}_sum", rest, of_7] == 0.005 + 0.006
    assert found[f"{name}_bucket", ("le", "5.0"), grpc, none] == 0
    assert found[f"{name}_count", grpc, none] == 1
    assert found["heed_batch_rows_bucket", ("le", "2.0")] == 0
    assert found["heed_batch_rows_bucket", ("le", "4.0")] == 1
    assert found[("heed_model_version",)] == 7
    assert not any(name.endswith("_created") for name, *_ in found)


def test_no_version_is_minus_one():
    assert samples(metrics.Metrics().render(None))[("heed_model_version",)] == -1


def test_servers_of_one_process_count_for_themselves():
    metrics.Metrics().count_batch(3)
    assert samples(metrics.Metrics().render(1))[("heed_batch_rows_count",)] == 0


def test_the_names_of_tensorflow_serving():
    counters = metrics.Metrics("films")
    counters.count_request("rest", "OK", 7, 0.000_015)
    counters.count_request("grpc", "OK", 8, 1.0)
    counters.count_request("grpc", "UNAVAILABLE", None, 1.0)

    found = samples(counters.render(8))

    model = ("model_name", "films")
    count = ":tensorflow:serving:request_count"
    assert found[count, model, ("status", "OK")] == 2
    assert found[count, model, ("status", "UNAVAILABLE")] == 1
    latency = ":tensorflow:serving:request_latency"
    rest = (("API", "predict"), ("entrypoint", "REST"))
    assert found[(f"{latency}_count", *rest, model)] == 1
    # Microseconds, in buckets of 10 times powers of 1.8.
    assert found[(f"{latency}_bucket", *rest, ("le", "10.0"), model)] == 0
    assert found[(f"{latency}_bucket", *rest, ("le", "18.0"), model)] == 1


def test_the_process_is_on_the_page():
    found = samples(metrics.Metrics().render(None))
    assert found[("process_resident_memory_bytes",)] > 1e6
    assert found[("process_open_fds",)] > 0


def test_unknown_names():
    counters = metrics.Metrics()
    counters.count_unknown_actions(2)
    counters.count_unknown_items(3)
    found = samples(counters.render(None))
    assert found[("heed_unknown_actions_total",)] == 2
    assert found[("heed_unknown_items_total",)] == 3


def test_every_family_says_what_it_is():
    page = metrics.Metrics().render(None).splitlines()
    types = {line.split()[2] for line in page if line.startswith("# TYPE")}
    helps = {line.split()[2] for line in page if line.startswith("# HELP")}
    assert types == helps
