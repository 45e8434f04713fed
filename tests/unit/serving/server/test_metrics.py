from serving.server import metrics


def test_the_page_of_a_few_requests():
    counters = metrics.Metrics()
    counters.count_request("rest", "OK", 0.005)  # at a bound: inside it
    counters.count_request("rest", "OK", 0.006)
    counters.count_request("grpc", "NOT_FOUND", 99.0)
    counters.count_batch(3)

    lines = counters.render(version=7).splitlines()

    assert 'heed_requests_total{protocol="rest",code="OK"} 2' in lines
    assert 'heed_requests_total{protocol="grpc",code="NOT_FOUND"} 1' in lines
    name = "heed_request_latency_seconds"
    assert f'{name}_bucket{{protocol="rest",le="0.002"}} 0' in lines
    assert f'{name}_bucket{{protocol="rest",le="0.005"}} 1' in lines
    assert f'{name}_bucket{{protocol="rest",le="0.01"}} 2' in lines
    assert f'{name}_bucket{{protocol="rest",le="+Inf"}} 2' in lines
    assert f'{name}_sum{{protocol="rest"}} 0.011' in lines
    assert f'{name}_bucket{{protocol="grpc",le="5.0"}} 0' in lines
    assert f'{name}_count{{protocol="grpc"}} 1' in lines
    assert 'heed_batch_rows_bucket{le="2"} 0' in lines
    assert 'heed_batch_rows_bucket{le="4"} 1' in lines
    assert "heed_model_version 7" in lines


def test_no_version_is_minus_one():
    assert "heed_model_version -1" in metrics.Metrics().render(None).splitlines()
