import numpy as np
import pytest
import tensorflow as tf

from components.index_builder import endpoint
from schema import errors
from serving.bundle import saved_model
from tests.unit.index_builder import towers_by_hand


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("served") / "model")
    towers = towers_by_hand.Towers(["a", "ü", "c"], [[1.0], [3.0], [2.0]])
    endpoint.export(endpoint.RetrievalEndpoint(towers, None), path)
    return path


def test_answers_bytes_in_bytes_out(directory):
    model = saved_model.load_exported(directory)

    item_id, score = model.recommend(
        np.array([[b"a", b""], ["ü".encode(), b"a"]], object),
        np.array([[b"view", b""], [b"dislike", b"view"]], object),
        np.zeros((2, 2), np.int64),
        np.full((2, 2), np.nan, np.float32),
        k=2,
    )

    # Queries 1 and -3 + 1 = -2.
    assert item_id.tolist() == [["ü".encode(), b"c"], [b"c", b""]]
    assert score.tolist() == [[3.0, 2.0], [-4.0, -np.inf]]


def test_excluded_and_empty_history(directory):
    model = saved_model.load_exported(directory)
    nothing = np.zeros((1, 0), object)

    item_id, _ = model.recommend(
        nothing,
        nothing,
        np.zeros((1, 0), np.int64),
        np.zeros((1, 0), np.float32),
        k=3,
        exclude_item_id=np.array([[b"c"]], object),
    )

    assert sorted(item_id[0]) == [b"", b"a", "ü".encode()]


class Other(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="query")])
    def ask(self, query):
        return {"item_id": query}


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("serving_default", "must take .*it takes .*query"),
        ("other", "no signature serving_default; it has .*other"),
    ],
)
def test_other_models_are_refused(tmp_path, signature, message):
    module = Other()
    tf.saved_model.save(module, str(tmp_path / "m"), signatures={signature: module.ask})

    with pytest.raises(errors.InputError, match=message):
        saved_model.load_exported(str(tmp_path / "m"))
