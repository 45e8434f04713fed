import json

import numpy as np

from serving.server import json_answers


def test_answers_in_both_forms():
    outputs = {
        "score": np.array([[0.2, -np.inf]], np.float32),
        "item_id": np.array([["é".encode(), b""]], dtype=object),
    }

    rows = json_answers.render(outputs, row_form=True).decode()
    columns = json_answers.render(outputs, row_form=False).decode()

    # 0.2 in its shortest form, and the bare token of TensorFlow Serving.
    assert (
        rows == '{"predictions": [{"item_id": ["é", ""], "score": [0.2, -Infinity]}]}'
    )
    assert (
        columns == '{"outputs": {"item_id": [["é", ""]], "score": [[0.2, -Infinity]]}}'
    )


def test_one_output_stands_without_its_name():
    assert json_answers.render({"y": np.array([1, 2])}, row_form=True) == (
        b'{"predictions": [1, 2]}'
    )


def test_binary_outputs_are_base64():
    outputs = {
        "raw_bytes": np.array([b"a"], dtype=object),
        "item_id": np.array([b"\xff"], dtype=object),
    }
    assert json.loads(json_answers.render(outputs, row_form=True)) == {
        "predictions": [{"raw_bytes": {"b64": "YQ=="}, "item_id": {"b64": "/w=="}}]
    }
