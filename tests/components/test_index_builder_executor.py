import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tfx.types import standard_artifacts

from components import artifacts, held_out
from components.index_builder import (
    executor,
)
from schema import features, settings
from serving.bundle import audience, catalog, manifest, saved_model, signature
from tests.components import fake_artifacts, tiny_pipeline

WITH_SCANN = settings.IndexSettings(
    search="approximate", num_leaves=12, recall_target=0.9, recall_k=20
)


@pytest.fixture(scope="module")
def build(exported_towers, tiny_log, tmp_path_factory):
    """Runs the executor once for each index, and returns the model's folder."""
    made = {}

    def run(index, name="model"):
        if (index, name) in made:
            return made[index, name]
        root = tmp_path_factory.mktemp("index_builder")
        items = [tiny_pipeline.serialized(c) for c in tiny_pipeline.make_catalog()]
        queries = [tiny_pipeline.serialized(w.columns()) for w in tiny_log.eval]
        catalog = fake_artifacts.examples(root / "catalog", {features.CATALOG: items})
        train = [tiny_pipeline.serialized(w.columns()) for w in tiny_log.train]
        events = fake_artifacts.examples(
            root / "events", {features.TRAIN: train, features.EVAL: queries}
        )
        towers = fake_artifacts.make(standard_artifacts.Model, exported_towers())
        model = fake_artifacts.make(standard_artifacts.Model, root / name)
        executor.Executor().Do(
            {"towers": [towers], "examples": [events], "catalog": [catalog]},
            {"model": [model]},
            {"index": index.to_json(), "run_config": json.dumps({"arm": "x"})},
        )
        assert artifacts.trained_towers_uri(model) == exported_towers()
        made[index, name] = str(root / name)
        return made[index, name]

    return run


def requests(windows):
    """Whole windows as histories."""
    whole = [
        held_out.Window(
            user_id=w.user_id,
            item_id=np.array(w.item_id, object),
            timestamp=np.array(w.timestamp, np.int64),
            action=np.array(w.action, object),
            value=np.array(w.value, np.float32),
            is_label=np.ones(len(w.item_id), bool),
        )
        for w in windows
    ]
    return held_out.request_arrays([held_out.Target(w, len(w.item_id)) for w in whole])


def load(folder):
    return (
        saved_model.load_exported(os.path.join(folder, "Format-Serving")),
        saved_model.load_exported(os.path.join(folder, artifacts.EXACT_TWIN)),
    )


def test_small_catalogue_is_served_exactly(build, tiny_log):
    model, twin = load(build(settings.IndexSettings()))
    arrays = requests(tiny_log.test)

    item_id, score = model.recommend(*arrays, k=20)
    twin_id, twin_score = twin.recommend(*arrays, k=20)

    assert model.manifest["index"]["kind"] == "exact"
    np.testing.assert_array_equal(item_id, twin_id)
    np.testing.assert_array_equal(score, twin_score)


def test_served_model_says_which_items_share_their_audience(build, tiny_log):
    """Counted here in sets: users with a label on both items."""
    folder = build(settings.IndexSettings())
    met = {}
    for window in tiny_log.train:
        for item, is_label in zip(window.item_id, window.is_label, strict=True):
            if is_label:
                met.setdefault(item.decode(), set()).add(window.user_id)

    found = audience.read(os.path.join(folder, "Format-Serving"))

    assert found
    for item_id, own in found.items():
        assert own.users == len(met[item_id])
        for other, shared in own.nearest.items():
            assert shared.both == len(met[item_id] & met[other]) >= 3
            assert shared.users == len(met[other])
    assert not audience.read(os.path.join(folder, artifacts.EXACT_TWIN))


def test_answers_follow_from_the_towers(build, tiny_log, towers_in_memory):
    """Scores of all candidates by numpy, from the towers that were trained."""
    model, _ = load(build(settings.IndexSettings()))
    towers, table = towers_in_memory()
    arrays = requests(tiny_log.test)
    query = towers.embed_query.python_function(
        *[tf.constant(a, tf.string if a.dtype == object else None) for a in arrays]
    )["query_embedding"].numpy()
    scores = query @ towers.candidate_embedding.numpy().T

    item_id, score = model.recommend(*arrays, k=10)

    # Items that only the catalogue knows may share their features, and so their score.
    row_of = {item: row for row, item in enumerate(table.item_id)}
    for row in range(len(query)):
        met = [row_of[item] for item in arrays[0][row] if item]
        best = np.sort(np.delete(scores[row], met))[::-1][:10]
        np.testing.assert_allclose(score[row], best, atol=1e-4)
        own = [scores[row][row_of[item]] for item in item_id[row]]
        np.testing.assert_allclose(score[row], own, atol=1e-4)
        assert len(set(item_id[row]) - set(arrays[0][row])) == 10


def test_user_control_of_the_index_is_that_of_a_request(build, tiny_log):
    """NaN asks for the index's own; what a request names is the same in any index."""
    arrays = requests(tiny_log.test)
    batch = len(arrays[0])
    inputs = {
        **dict(zip(signature.HISTORY_INPUTS, arrays, strict=True)),
        signature.EXCLUDE_ITEM_ID: np.zeros((batch, 0), object),
        signature.K: np.full(batch, 1_000, np.int32),
    }

    def scores(model, user_control):
        inputs[signature.USER_CONTROL] = np.full(batch, user_control, np.float32)
        answer = model.predict(inputs, signature.CONTROLLED_SIGNATURE)
        rows = zip(answer["item_id"], answer["score"], strict=True)
        return [dict(zip(i, s, strict=True)) for i, s in rows]

    def assert_same(one, other):
        for first, second in zip(one, other, strict=True):
            assert first.keys() == second.keys()
            for item in first.keys() - {b""}:
                assert first[item] == pytest.approx(second[item], abs=1e-4)

    models = {
        c: load(build(settings.IndexSettings(user_control=c)))[0] for c in (0.0, 2.0)
    }
    of_index = {}
    for control, model in models.items():
        item_id, score = model.recommend(*arrays, k=1_000)
        rows = zip(item_id, score, strict=True)
        of_index[control] = [dict(zip(i, s, strict=True)) for i, s in rows]
        assert_same(scores(model, np.nan), of_index[control])
    assert_same(scores(models[0.0], 2.0), of_index[2.0])
    assert_same(scores(models[2.0], 0.0), of_index[0.0])
    for actions, none, twice in zip(
        arrays[1], of_index[0.0], of_index[2.0], strict=True
    ):
        moved = np.array([twice[item] - none[item] for item in none if item])
        named = {a for both in actions for a in both.split(b"|")}
        assert (np.abs(moved).max() > 1e-4) == bool(named & {b"dislike", b"skip"})


def test_index_answers_as_its_twin_does(build, tiny_log):
    """ScaNN over 150 items, tuned to find nine of ten of the exact answers."""
    model, twin = load(build(WITH_SCANN))
    arrays = requests(tiny_log.test)

    item_id, score = model.recommend(*arrays, k=20)
    twin_id, twin_score = twin.recommend(*arrays, k=20)

    assert model.manifest["index"]["kind"] == "scann"
    assert model.manifest["index"]["recall"] > 0.8
    shared = 0
    for row in range(len(item_id)):
        assert len(set(item_id[row]) - set(arrays[0][row])) == 20
        exact = dict(zip(twin_id[row], twin_score[row], strict=True))
        for item, found in zip(item_id[row], score[row], strict=True):
            if item in exact:
                shared += 1
                assert found == pytest.approx(exact[item], abs=1e-3)
    assert shared > 0.8 * item_id.size


def test_twin_needs_stock_operations_only(build):
    """TensorFlow Serving without ScaNN's operations can load it."""
    folder = build(WITH_SCANN)

    def operations(directory):
        saved = saved_model_pb2.SavedModel()
        with open(os.path.join(folder, directory, "saved_model.pb"), "rb") as file:
            saved.ParseFromString(file.read())
        graph = saved.meta_graphs[0].graph_def
        nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
        return {node.op for node in nodes}

    assert any("Scann" in op for op in operations("Format-Serving"))
    assert not any("Scann" in op for op in operations(artifacts.EXACT_TWIN))


def test_manifest_and_catalogue_lie_beside_both_models(build):
    folder = build(settings.IndexSettings())

    for directory in ("Format-Serving", artifacts.EXACT_TWIN):
        path = os.path.join(folder, directory)
        described = manifest.read(path)
        assert described["num_candidates"] == tiny_pipeline.NUM_ITEMS
        assert described["config"] == {"arm": "x"}
        assert len(described["model_id"]) == 32
        with open(os.path.join(path, catalog.CATALOG_FILE), encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        assert [line["item_id"] for line in lines] == sorted(
            (tiny_pipeline.item_id(n).decode() for n in range(tiny_pipeline.NUM_ITEMS)),
            key=str.encode,
        )
        (second,) = [line for line in lines if line["item_id"] == "é-2"]
        assert second == {
            "item_id": "é-2",
            "title": "Title of 2",
            "creator_id": "c2",
            "categories": ["drama", "comedy"],
            "image_url": "https://i.example/2",
        }


_ASK = """
import json, sys
import numpy as np
import tensorflow as tf

if sys.argv[3] == "with ScaNN":
    from scann.scann_ops.py import scann_ops
with np.load(sys.argv[1]) as stored:
    arrays = {name: tf.constant(stored[name]) for name in stored}
model = tf.saved_model.load(sys.argv[2])
answers = {}
for name in ("serving_default", "filtered", "controlled", "similar"):
    asked = model.signatures[name]
    wanted = asked.structured_input_signature[1]
    found = asked(**{key: value for key, value in arrays.items() if key in wanted})
    answers[name] = {
        "item_id": [[i.decode() for i in row] for row in found["item_id"].numpy()],
        "score": found["score"].numpy().tolist(),
    }
assert "tensorflow_recommenders" not in sys.modules
sys.stdout.write(json.dumps(answers))
"""


@pytest.mark.parametrize(
    ("directory", "operations"),
    [("Format-Serving", "with ScaNN"), (artifacts.EXACT_TWIN, "stock operations")],
)
def test_reloaded_in_another_process_it_answers_the_same(
    build, tiny_log, tmp_path, directory, operations
):
    """A process that never saw this repository; the twin needs TensorFlow alone."""
    folder = os.path.join(build(WITH_SCANN), directory)
    item_id, action, timestamp, value = requests(tiny_log.test)
    action[0, 0] = b"no such action|view"
    item_id[0, 1] = b"no such item"
    batch = len(item_id)
    arrays = {
        "history_item_id": item_id.astype(bytes),
        "history_action": action.astype(bytes),
        "history_timestamp": timestamp,
        "history_value": value,
        "exclude_item_id": np.array([[b"item 3"]] * batch),
        "k": np.full(batch, 15, np.int32),
        "category": np.array([[b"comedy"]] * batch),
        "creator_id": np.zeros((batch, 1), "S1"),
        "item_id": np.array([[b"item 5"]] * batch),
        "user_control": np.linspace(0.0, 2.0, batch, dtype=np.float32),
    }
    np.savez(tmp_path / "request.npz", **arrays)

    done = subprocess.run(
        [
            *(sys.executable, "-c", _ASK, str(tmp_path / "request.npz")),
            *(folder, operations),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )

    assert done.returncode == 0, done.stderr[-2_000:]
    answers = json.loads(done.stdout)
    here = tf.saved_model.load(folder).signatures
    for name, answer in answers.items():
        wanted = here[name].structured_input_signature[1]
        expected = here[name](**{k: tf.constant(arrays[k]) for k in wanted})
        theirs = [[i.decode() for i in row] for row in expected["item_id"].numpy()]
        assert answer["item_id"] == theirs
        np.testing.assert_allclose(answer["score"], expected["score"], atol=1e-5)
    catalogue = {
        entry[features.ITEM_ID][0].decode(): entry[features.CATEGORIES]
        for entry in tiny_pipeline.make_catalog()
    }
    for row in answers["filtered"]["item_id"]:
        assert len(row) == len(set(row)) == 15
        assert all(b"comedy" in catalogue[item] for item in row)


def test_manifest_holds_the_hash_of_each_file(build):
    folder = os.path.join(build(settings.IndexSettings()), "Format-Serving")
    hashes = manifest.read(folder)["sha256"]

    assert {"saved_model.pb", "variables/variables.index"} <= set(hashes)
    for name, expected in hashes.items():
        with open(os.path.join(folder, name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == expected
    signatures = manifest.read(folder)["signatures"]
    assert signatures["filtered"]["creator_id"] == ["string", [None, None]]
    assert signatures["controlled"]["user_control"] == ["float32", [None]]
    assert signatures["similar"]["item_id"] == ["string", [None, None]]


def test_model_id_is_that_of_its_content(build):
    def model_id(folder):
        path = os.path.join(folder, "Format-Serving")
        return manifest.read(path)["model_id"]

    exact = model_id(build(settings.IndexSettings()))

    assert model_id(build(settings.IndexSettings(), "again")) == exact
    assert model_id(build(WITH_SCANN)) != exact


def test_signature_is_the_promised_one(build):
    folder = build(settings.IndexSettings())
    signature = tf.saved_model.load(os.path.join(folder, "Format-Serving")).signatures[
        "serving_default"
    ]

    inputs = signature.structured_input_signature[1]
    assert {name: (s.dtype.name, s.shape.rank) for name, s in inputs.items()} == {
        "history_item_id": ("string", 2),
        "history_action": ("string", 2),
        "history_timestamp": ("int64", 2),
        "history_value": ("float32", 2),
        "exclude_item_id": ("string", 2),
        "k": ("int32", 1),
    }
    assert {
        name: (s.dtype.name, s.shape.rank)
        for name, s in signature.structured_outputs.items()
    } == {"item_id": ("string", 2), "score": ("float32", 2)}
