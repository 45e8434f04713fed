"""The REST API from outside, with nothing but urllib."""

import concurrent.futures
import json
import urllib.error
import urllib.request

import pytest

from tests.components.serving import tiny_model

HISTORY = [("i3", "view", 1_001, 0.5), ("i4", "dislike|view", 1_003, None)]


def call(url, body=None):
    data = None
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        response = urllib.request.urlopen(url, data=data, timeout=30)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        assert response.headers.get_content_type() == "application/json"
        return response.status, json.load(response)


def instance(history=HISTORY, k=5, exclude=()):
    return {
        "history_item_id": [row[0] for row in history],
        "history_action": [row[1] for row in history],
        "history_timestamp": [row[2] for row in history],
        "history_value": [float("nan") if r[3] is None else r[3] for r in history],
        "exclude_item_id": list(exclude),
        "k": k,
    }


def slate(prediction):
    pairs = zip(prediction["item_id"], prediction["score"], strict=True)
    return [(item_id, score) for item_id, score in pairs if item_id]


@pytest.fixture
def url(server):
    return f"{server.rest}/v1/models/heed"


def test_row_form_equals_the_oracle(url):
    # Lengths 2, 0 and 1, and three different k.
    asked = [
        instance(),
        instance([], k=25, exclude=["i1", "i2"]),
        instance(HISTORY[:1], k=1),
    ]
    status, answer = call(f"{url}:predict", {"instances": asked})

    assert status == 200
    first, second, third = answer["predictions"]
    assert slate(first) == tiny_model.expected_slate(HISTORY, 5)
    assert slate(second) == tiny_model.expected_slate([], 25, ["i1", "i2"])
    assert slate(third) == tiny_model.expected_slate(HISTORY[:1], 1)
    # 18 items are left of 20, so 7 of 25 places are padding.
    assert second["item_id"][18:] == [""] * 7
    assert second["score"][18:] == [float("-inf")] * 7


def test_column_form_equals_the_oracle(url):
    columns = {name: [value] for name, value in instance().items()}
    status, answer = call(
        f"{url}/versions/1:predict",
        {"signature_name": "serving_default", "inputs": columns},
    )

    assert status == 200
    one = {name: rows[0] for name, rows in answer["outputs"].items()}
    assert slate(one) == tiny_model.expected_slate(HISTORY, 5)


def test_concurrent_requests_get_their_own_answers(url):
    def ask(n):
        history = [(f"i{n % 20}", "dislike" if n % 3 else "view", n, None)] * (n % 4)
        return n, history, call(f"{url}:predict", {"instances": [instance(history, n)]})

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for n, history, (status, answer) in pool.map(ask, range(1, 65)):
            assert status == 200, answer
            (prediction,) = answer["predictions"]
            assert len(prediction["item_id"]) == n
            assert slate(prediction) == tiny_model.expected_slate(history, n)


def test_status(url):
    expected = {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }
    assert call(url) == (200, expected)
    assert call(f"{url}/versions/1") == (200, expected)
    assert call(f"{url}/versions/8")[0] == 404


def test_metadata(url):
    status, answer = call(f"{url}/metadata")

    assert status == 200
    assert answer["model_spec"] == {
        "name": "heed",
        "signature_name": "",
        "version": "1",
    }
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    inputs = signatures["serving_default"]["inputs"]
    assert inputs["history_timestamp"]["dtype"] == "DT_INT64"
    assert [d["size"] for d in inputs["k"]["tensor_shape"]["dim"]] == ["-1"]


def test_health(server):
    assert call(f"{server.rest}/healthz") == (200, {"ready": True, "version": 1})


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (":predict", b"{", 400, "not JSON"),
        (":predict", {"instances": [{}]}, 400, "instance 0: missing input"),
        (":predict", {"instances": [instance(k=0)]}, 400, "at least 1; got 0 in row 0"),
        (":predict", {"instances": [instance(k=1_001)]}, 400, "at most 1000"),
        (":predict", {"inputs": {**instance(), "k": 1}}, 400, 'input "'),
        (
            ":predict",
            {"signature_name": "other", "instances": [instance()]},
            400,
            'no signature "other"',
        ),
        ("/versions/9:predict", {"instances": [instance()]}, 404, "version 9"),
        ("/versions/" + "9" * 5_000 + ":predict", {}, 400, "int64; got 5000 digits"),
        ("/versions/9223372036854775808", None, 400, "int64"),
        (":predict", b'{"instances": [' + b"9" * 5_000 + b"]}", 400, "cannot be read"),
        (":predict", b'{"inputs": ' + b"[" * 10**5, 400, "nested too deeply"),
        ("/labels/stable:predict", {"instances": [instance()]}, 404, "version label"),
        (":classify", {}, 501, "use predict"),
        ("/nowhere", None, 404, "Not Found"),
        (":predict", None, 405, "Method Not Allowed"),
    ],
)
def test_errors(url, path, body, status, message):
    got, answer = call(url + path, body)
    assert (got, list(answer)) == (status, ["error"])
    assert message in answer["error"]


def test_unknown_model(server):
    status, answer = call(f"{server.rest}/v1/models/need:predict", {"instances": []})
    assert status == 404
    assert '"need"' in answer["error"]


def test_metrics_count_requests(server, url):
    counter = "heed_requests_total"
    good = f'{counter}{{code="OK",protocol="rest",version="1"}}'
    bad = f'{counter}{{code="INVALID_ARGUMENT",protocol="rest",version="1"}}'
    before = server.metrics()
    call(f"{url}:predict", {"instances": [instance(), instance()]})
    call(f"{url}:predict", b"{")
    after = server.metrics()

    assert after[good] - before.get(good, 0) == 1
    assert after[bad] - before.get(bad, 0) == 1
    assert after["heed_batch_rows_sum"] - before["heed_batch_rows_sum"] == 2
    assert after["heed_model_version"] == 1


def test_explorer(server):
    with urllib.request.urlopen(server.ready["explore_url"], timeout=30) as response:
        assert response.headers.get_content_type() == "text/html"
        assert b"What if?" in response.read()

    status, found = call(f"{server.rest}/explore/items?q=title+17")
    assert (status, [one["item_id"] for one in found["items"]]) == (200, ["i17"])
    status, found = call(f"{server.rest}/explore/items?id=i3&id=zz")
    assert [one["title"] for one in found["items"]] == ["Title 3", "zz"]

    status, found = call(f"{server.rest}/explore/example")
    assert [(one["item"]["title"], one["mark"]) for one in found["history"]] == [
        ("Title 0", ""),
        ("Title 1", "like"),
        ("Title 2", "like"),
        ("Title 3", "dislike"),
    ]

    question = {"history": [{"item_id": "i17", "mark": "dislike"}], "k": 5}
    status, answer = call(f"{server.rest}/explore/slates", question)
    assert status == 200
    # The oracle's times are even in both branches or odd in both: ranks are the same.
    # Before, the disliked item was not met, and is not shown either.
    disliked = [("i17", "dislike|view", 0, 1.0)]
    for branch, history in (("before", []), ("after", disliked)):
        expected = tiny_model.expected_slate(history, 5, ["i17"])
        assert [row["item_id"] for row in answer[branch]] == [i for i, _ in expected]
    # Of i14, i11, i8, i5 and i2 one is by c1, as i17 is; of the slate after none.
    moves, likeness = answer["summary"]
    assert "1 left" in moves
    assert "same creator 20.0\u00a0% \u2192 0.0\u00a0%" in likeness
    assert answer["is_controlled"] is False  # this model has no such signature

    assert call(f"{server.rest}/explore/slates", b"x")[0] == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"history": [], "k": ' + b"9" * 5_000 + b"}", "cannot be read"),
        (b'{"history": [], "k": ' + b"9" * 400 + b"}", '"k" must be in'),
        (b'{"history": ' + b"[" * 10**5, "nested too deeply"),
        (b'{"history": [], "k": "\xff"}', "not UTF-8"),
        (b"[]", "must be a JSON object"),
    ],
)
def test_explorer_refuses_what_is_no_question(server, body, message):
    status, answer = call(f"{server.ready['explore_url']}explore/slates", body)
    assert status == 400
    assert message in answer["error"]
