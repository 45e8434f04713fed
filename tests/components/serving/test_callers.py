"""Large and dishonest requests on real sockets: answered in full, or told why not."""

import http.client
import json
import shutil
import signal
import socket
import threading
import time

import grpc
import numpy as np
import pytest

from serving import client, requests
from tests.components.serving import conftest, tiny_model

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


INSTANCE = {
    "history_item_id": ["i3"],
    "history_action": ["view"],
    "history_timestamp": [1],
    "history_value": [0.5],
    "exclude_item_id": [],
    "k": 3,
}
MISSPELT = [requests.Event("i3", "view|DISLIKE", 1, 0.5), requests.Event("zz", "no", 2)]


def test_unknown_names_are_counted_and_told(heed, server):
    before = server.metrics()
    slate = heed.recommend(MISSPELT, k=3)
    after = server.metrics()

    # Answered as what is left of it: a view.
    history = [("i3", "view", 1, 0.5), ("zz", "no", 2, None)]
    assert pairs(slate) == tiny_model.expected_slate(history, 3)
    for name, number in {"actions": 2, "items": 1}.items():
        counter = f"heed_unknown_{name}_total"
        assert after[counter] - before[counter] == number
    assert "'DISLIKE', which its feedback policy does not know" in server.log()


def test_a_body_that_is_not_what_its_header_says_is_counted(server):
    name = 'heed_requests_total{code="INVALID_ARGUMENT",protocol="rest",version=""}'
    before = server.metrics().get(name, 0)
    connection = http.client.HTTPConnection("127.0.0.1", server.ready["rest_port"])
    path = "/v1/models/heed:predict"
    connection.request("POST", path, b"{}", {"Content-Encoding": "gzip"})
    answer = connection.getresponse()
    assert answer.status == 400
    assert "not gzip, as its header says" in json.load(answer)["error"]
    connection.close()
    assert server.metrics()[name] - before == 1
    assert "Traceback" not in server.log()


@pytest.fixture(scope="module")
def strict(tiny_model_dir, tmp_path_factory):
    """Returns a server that refuses unknown actions and is soon tired of waiting."""
    models_dir = tmp_path_factory.mktemp("strict") / "heed"
    shutil.copytree(tiny_model_dir, models_dir / "1")
    process = conftest.ServerProcess(
        models_dir, unknown_actions="refuse", read_timeout_sec=1.0, lame_duck_sec=20.0
    )
    yield process
    process.kill()


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_strict_mode_refuses_unknown_actions(strict, protocol):
    target = f"127.0.0.1:{strict.ready[f'{protocol}_port']}"
    with client.RecommendClient(target, protocol=protocol, deadline_sec=60) as heed:
        assert heed.recommend(EVENTS, k=3)
        with pytest.raises(client.ServingError) as caught:
            heed.recommend(MISSPELT[:1], k=3)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert 'has the action "DISLIKE"' in str(caught.value)
    assert "it knows dislike, like, view" in str(caught.value)


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_a_silent_connection_is_closed(strict, protocol):
    address = ("127.0.0.1", strict.ready[f"{protocol}_port"])
    with socket.create_connection(address, timeout=60) as silent:
        received = b"?"
        while received:  # gRPC sends its settings first.
            received = silent.recv(4_096)


def test_kept_alive_connections_are_told_to_close(strict):
    connection = http.client.HTTPConnection("127.0.0.1", strict.ready["rest_port"])

    def ask():
        body = json.dumps({"instances": [INSTANCE]})
        connection.request("POST", "/v1/models/heed:predict", body)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Connection"]

    watched = []
    channel = grpc.insecure_channel(strict.grpc)
    stream = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=60)
    watcher = threading.Thread(target=lambda: watched.extend(stream))
    watcher.start()
    assert ask() == (200, None)
    strict.process.send_signal(signal.SIGTERM)
    while "draining" not in strict.log():
        time.sleep(0.02)
    assert ask() == (200, "close")
    connection.close()
    # Nobody is left, so it does not sit out its lame-duck time of 20 s, nor fails.
    assert strict.wait() == 0
    assert "Traceback" not in strict.log()
    watcher.join(60)
    channel.close()
    # Serving, then not: of a stream that the server ends itself.
    assert watched == [bytes([0x08, 1]), bytes([0x08, 2])]
