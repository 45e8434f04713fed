import http.server
import json
import threading

import numpy as np
import pytest

from schema import errors
from serving import client, requests

HISTORY = [requests.Event("a", "view", 1_000, 0.5)]
OUTPUTS = {
    "item_id": np.array([[b"x", b"y", b""]], dtype=object),
    "score": np.array([[2.0, 1.0, -np.inf]], np.float32),
}
SLATE = [requests.Recommendation("x", 2.0), requests.Recommendation("y", 1.0)]


class Scripted:
    """A transport that answers from a list."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.timeouts_sec = []
        self.inputs = None
        self.signature_name = None

    def predict(self, inputs, timeout_sec, signature_name):
        self.inputs = inputs
        self.signature_name = signature_name
        self.timeouts_sec.append(timeout_sec)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        pass


def unavailable():
    return client.ServingError("UNAVAILABLE", "restarting")


def make(transport, **arguments):
    waits = []
    arguments.setdefault("deadline_sec", 60)
    made = client.RecommendClient(
        "", transport=transport, sleep=waits.append, **arguments
    )
    return made, waits


def test_a_slate_without_padding():
    transport = Scripted(OUTPUTS)
    heed, _ = make(transport, max_length=1)

    assert heed.recommend(HISTORY, k=3, exclude=["z"]) == SLATE
    assert transport.inputs["k"].tolist() == [3]
    assert transport.inputs["exclude_item_id"].tolist() == [[b"z"]]


def test_items_that_are_like_others():
    transport = Scripted(OUTPUTS, OUTPUTS)
    heed, _ = make(transport, signature_name="filtered")

    assert heed.similar(["a", "b"], k=3, exclude=["z"]) == SLATE
    assert transport.signature_name == "similar"
    assert {name: array.tolist() for name, array in transport.inputs.items()} == {
        "item_id": [[b"a", b"b"]],
        "exclude_item_id": [[b"z"]],
        "k": [3],
    }
    heed.recommend(HISTORY)
    assert transport.signature_name == "filtered"


def test_unavailable_is_tried_again_with_growing_waits():
    transport = Scripted(unavailable(), unavailable(), unavailable(), OUTPUTS)
    heed, waits = make(transport, first_backoff_ms=100, max_attempts=4)

    assert heed.recommend(HISTORY) == SLATE
    # 100, 200, 400 ms, each varied by half.
    assert len(waits) == 3
    for wait_sec, mean_sec in zip(waits, (0.1, 0.2, 0.4), strict=True):
        assert 0.5 * mean_sec <= wait_sec <= 1.5 * mean_sec


def test_attempts_end():
    heed, waits = make(Scripted(unavailable(), unavailable()), max_attempts=2)

    with pytest.raises(client.ServingError, match="restarting"):
        heed.recommend(HISTORY)
    assert len(waits) == 1


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "NOT_FOUND", "DEADLINE_EXCEEDED"])
def test_other_errors_are_not_tried_again(code):
    heed, waits = make(Scripted(client.ServingError(code, "no")))

    with pytest.raises(client.ServingError) as caught:
        heed.recommend(HISTORY)
    assert caught.value.code == code
    assert waits == []


def test_no_wait_beyond_the_deadline():
    heed, waits = make(Scripted(unavailable()), first_backoff_ms=1_000)

    with pytest.raises(client.ServingError, match="restarting"):
        heed.recommend(HISTORY, deadline_sec=0.01)
    assert waits == []


def test_an_attempt_gets_the_time_that_is_left():
    transport = Scripted(OUTPUTS)
    heed, _ = make(transport, deadline_sec=5)
    heed.recommend(HISTORY)
    assert 0 < transport.timeouts_sec[0] <= 5


@pytest.mark.parametrize(
    "arguments", [{"deadline_sec": 0}, {"max_attempts": 0}, {"protocol": "smoke"}]
)
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="must be"):
        client.RecommendClient("h:1", **arguments)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: list  # (status, body) of each answer; None hangs up

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.bodies.append(json.loads(self.rfile.read(length)))
        self.server.paths.append(self.path)
        answer = self.server.script.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def http_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.bodies, server.paths, server.script = [], [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


GOOD = b'{"outputs": {"item_id": [["x", "y", ""]], "score": [[2.0, 1.0, -Infinity]]}}'


def rest(server, **arguments):
    return client.RecommendClient(
        f"127.0.0.1:{server.server_port}",
        protocol="rest",
        deadline_sec=10,
        first_backoff_ms=1,
        **arguments,
    )


def test_rest_sends_the_column_form(http_server):
    http_server.script = [(200, GOOD)]
    with rest(http_server, version=3) as heed:
        assert heed.recommend(HISTORY, k=3) == SLATE

    assert http_server.paths == ["/v1/models/heed/versions/3:predict"]
    assert http_server.bodies == [
        {
            "signature_name": "serving_default",
            "inputs": {
                "history_item_id": [["a"]],
                "history_action": [["view"]],
                "history_timestamp": [[1000]],
                "history_value": [[0.5]],
                "exclude_item_id": [[]],
                "k": [3],
            },
        }
    ]


def test_rest_errors_have_codes(http_server):
    http_server.script = [(400, b'{"error": "bad k"}'), (404, b"<html>")]
    with rest(http_server) as heed:
        with pytest.raises(client.ServingError, match="INVALID_ARGUMENT: bad k"):
            heed.recommend(HISTORY)
        with pytest.raises(client.ServingError, match="NOT_FOUND: <html>"):
            heed.recommend(HISTORY)


def test_rest_retries_503_and_dropped_connections(http_server):
    http_server.script = [(503, b"{}"), None, (200, GOOD), None, (200, GOOD)]
    with rest(http_server) as heed:
        assert heed.recommend(HISTORY) == SLATE
        assert heed.recommend(HISTORY) == SLATE


def test_rest_reopens_an_idle_connection_without_an_attempt(http_server):
    http_server.script = [(200, GOOD), None, (200, GOOD)]
    with rest(http_server, max_attempts=1) as heed:
        assert heed.recommend(HISTORY) == SLATE
        assert heed.recommend(HISTORY) == SLATE


def test_rest_nobody_there(http_server):
    port = http_server.server_port
    http_server.shutdown()
    http_server.server_close()
    heed = client.RecommendClient(
        f"127.0.0.1:{port}", protocol="rest", max_attempts=2, first_backoff_ms=1
    )
    with pytest.raises(client.ServingError) as caught:
        heed.recommend(HISTORY)
    assert caught.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("target", ["localhost", "http://", "host:port"])
def test_rest_target_must_have_a_port(target):
    with pytest.raises(ValueError, match="HOST:PORT"):
        client.RecommendClient(target, protocol="rest")


@pytest.mark.parametrize(
    ("wished", "name", "inputs"),
    [
        ({}, "mine", {}),
        ({"user_control": 2.0}, "controlled", {"user_control": [2.0]}),
        (
            {"most_of_creator": 2},
            "diverse",
            {"most_of_creator": [2], "most_of_category": [0]},
        ),
    ],
)
def test_what_is_wished_chooses_the_signature(wished, name, inputs):
    transport = Scripted(OUTPUTS)
    heed, _ = make(transport, signature_name="mine")

    heed.recommend(HISTORY, k=3, **wished)

    assert transport.signature_name == name
    for key, value in inputs.items():
        assert transport.inputs[key].tolist() == value
    # As the model is served, unless a request says otherwise.
    if name == "diverse":
        assert np.isnan(transport.inputs["user_control"]).all()


@pytest.mark.parametrize(
    "wished", [{"user_control": 2.5}, {"most_of_category": -1}, {"user_control": -1.0}]
)
def test_a_wish_out_of_range_is_refused(wished):
    heed, _ = make(Scripted())
    with pytest.raises(errors.InputError, match=f"`{next(iter(wished))}`"):
        heed.recommend(HISTORY, **wished)


def test_a_version_has_a_number_or_a_label():
    with pytest.raises(ValueError, match="not both; got 3 and 'stable'"):
        client.RecommendClient("h:1", version=3, label="stable")
