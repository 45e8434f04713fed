"""The same towers give the same index in any process, however busy the machine is."""

import os

import pytest

from tests.components import busy_machine, tiny_pipeline

pytestmark = pytest.mark.slow

_BUILD_INDEX = """
import hashlib, json, sys
import numpy as np
from components.index_builder import scann_index

rng = np.random.default_rng(3)
# Half of the items are all but the same, as those are that nobody met.
alike = np.repeat(rng.normal(size=(40, 64)), 100, axis=0)
embedding = np.concatenate(
    [rng.normal(size=(4_000, 64)), alike + 1e-4 * rng.normal(size=alike.shape)]
).astype(np.float32)
found = {}
for block in (2, 4):
    shape = scann_index.IndexShape(360, block)
    layer = scann_index.TunableScann(embedding, shape)
    for place, variable in enumerate(layer.variables):
        value = np.asarray(variable.numpy())
        content = value.item() if value.dtype == object else value.tobytes()
        found[f"{block} {place}"] = hashlib.sha256(content).hexdigest()
print(json.dumps(found))
"""
_BUILD_MODEL = """
import hashlib, json, os, sys
from schema import settings
from components.index_builder import build, servable
from tests.components import tiny_pipeline

towers, queries, catalogue, folder = sys.argv[1:]
index = settings.IndexSettings(
    search="approximate", num_leaves=12, recall_target=0.9, recall_k=20
)
serving, exact = (os.path.join(folder, n) for n in ("Format-Serving", "exact"))
described = build.build_endpoint(
    towers, [queries], servable.read([catalogue]), index, {}, serving, exact
)
variables = os.path.join(serving, "variables", "variables.data-00000-of-00001")
with open(variables, "rb") as file:
    digest = hashlib.sha256(file.read()).hexdigest()
print(json.dumps([described["model_id"], described["index"], digest]))
"""


def test_index_of_the_same_embeddings_is_the_same_to_the_last_byte():
    first, *others = busy_machine.answers(_BUILD_INDEX, lambda _: [])

    assert len(first) == 18
    for other in others:
        assert other == first


def test_model_of_the_same_towers_is_the_same(tiny_log, exported_towers, tmp_path):
    queries = tiny_pipeline.write_records(
        tmp_path / "queries.gz",
        [tiny_pipeline.serialized(window.columns()) for window in tiny_log.eval],
    )
    catalogue = tiny_pipeline.write_records(
        tmp_path / "catalogue.gz",
        [tiny_pipeline.serialized(item) for item in tiny_pipeline.make_catalog()],
    )
    towers = os.path.join(exported_towers(), "Format-Serving")

    first, *others = busy_machine.answers(
        _BUILD_MODEL,
        lambda number: [towers, queries, catalogue, str(tmp_path / str(number))],
    )

    _, index, _ = first
    assert index["kind"] == "scann"
    for other in others:
        assert other == first
