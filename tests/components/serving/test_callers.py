"""Large and dishonest requests on real sockets: answered in full, or told why not."""

import numpy as np
import pytest

from serving import client, requests
from tests.components.serving import tiny_model

EVENTS = [requests.Event("i3", "view", 1, 0.5)]
HISTORY = [("i3", "view", 1, 0.5)]


@pytest.fixture(params=["grpc", "rest"])
def heed(server, request):
    port = server.ready[f"{request.param}_port"]
    with client.RecommendClient(
        f"127.0.0.1:{port}", protocol=request.param, deadline_sec=60
    ) as one:
        yield one


def pairs(slate):
    return [(one.item_id, one.score) for one in slate]


def test_an_answer_too_large_is_refused_before_it_is_computed(heed, server):
    before = server.metrics()["heed_batch_rows_count"]
    with pytest.raises(client.ServingError) as caught:
        heed.recommend_many([EVENTS] * 4_096, k=1_000)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert "got 4096 rows and k 1000: split the request" in str(caught.value)
    assert server.metrics()["heed_batch_rows_count"] == before
    assert "Traceback" not in server.log()


def test_a_large_request_is_computed_in_pieces_and_answered_as_one(heed, server):
    before = server.metrics()["heed_batch_rows_count"]
    ks = [1 + n % 20 for n in range(700)]
    slates = heed.recommend_many([EVENTS] * 700, k=ks)

    assert [pairs(one) for one in slates] == [
        tiny_model.expected_slate(HISTORY, k) for k in ks
    ]
    # 10 calls of 64 rows, and one of the 60 that are left.
    assert server.metrics()["heed_batch_rows_count"] == before + 11


def test_a_history_is_cut_to_what_the_model_reads(heed):
    # 60 views: the model reads 50; the ten oldest are of i1 and i5.
    old = [(f"i{1 + n % 2 * 4}", "view", n, 0.5) for n in range(10)]
    new = [("i3", "dislike|view", n, 0.5) for n in range(10, 60)]
    events = [requests.Event(*row) for row in old + new]
    assert len(new) == tiny_model.MAX_LENGTH

    slate = heed.recommend(events, k=20, exclude=["i17"])

    assert pairs(slate) == tiny_model.expected_slate(new, 20, ["i1", "i5", "i17"])


def test_infinity_is_no_value(heed):
    # Our own `build_inputs` refuses it; other callers do not use it.
    inputs = requests.build_inputs([EVENTS], k=3)
    inputs["history_value"] = np.array([[np.inf]], np.float32)
    with pytest.raises(client.ServingError) as caught:
        heed.predict(inputs)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert '"history_value" must be finite' in str(caught.value)
