import numpy as np

from serving.server import pieces


def test_rows_keep_their_order():
    asked = {"k": np.arange(5), "id": np.array([[b"a"]] * 5, object)}
    parts = pieces.split(asked, 5, 2)
    assert [part["k"].tolist() for part in parts] == [[0, 1], [2, 3], [4]]
    assert [len(part["id"]) for part in parts] == [2, 2, 1]


def test_answers_are_padded_to_the_widest():
    first = {
        "item_id": np.array([[b"a"]], object),
        "score": np.array([[1.0]], np.float32),
    }
    second = {
        "item_id": np.array([[b"b", b"c"]], object),
        "score": np.array([[3.0, 2.0]], np.float32),
    }
    whole = pieces.join([first, second])
    assert whole["item_id"].tolist() == [[b"a", b""], [b"b", b"c"]]
    assert whole["score"].tolist() == [[1.0, -np.inf], [3.0, 2.0]]
    assert whole["score"].dtype == np.float32
