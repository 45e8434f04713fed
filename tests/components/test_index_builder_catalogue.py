"""Which items of log and catalogue enter the index."""

import json

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components.index_builder import executor, servable
from schema import errors, features, settings
from serving.bundle import catalog, saved_model
from tests.components import fake_artifacts, tiny_pipeline


def test_withdrawn_and_vanished_items_leave_the_index(exported_towers, tmp_path):
    """By the catalogue's column, and by a newer catalogue that lacks them."""
    items = tiny_pipeline.make_catalog()
    flagged, gone = (items[n][features.ITEM_ID][0] for n in (7, 8))
    newer = [entry for entry in items if entry[features.ITEM_ID] != [gone]]
    newer[7] = {**newer[7], features.WITHDRAWN: [1]}
    examples = {
        name: [
            fake_artifacts.examples(
                tmp_path / name,
                {features.CATALOG: [tiny_pipeline.serialized(i) for i in entries]},
            )
        ]
        for name, entries in (("catalog", newer), ("previous_catalog", items))
    }
    model = fake_artifacts.make(standard_artifacts.Model, tmp_path / "model")
    events = fake_artifacts.examples(
        tmp_path / "events", {features.TRAIN: [], features.EVAL: []}
    )
    events.set_int_custom_property("span", 7)
    events.set_string_custom_property("input_fingerprint", "num_bytes:1")
    executor.Executor().Do(
        {
            "towers": [
                fake_artifacts.make(standard_artifacts.Model, exported_towers())
            ],
            "examples": [events],
            **examples,
        },
        {"model": [model]},
        {
            "index": settings.IndexSettings().to_json(),
            "run_config": "{}",
            "max_lost_items_share": "0.02",
        },
    )

    served = saved_model.load_exported(str(tmp_path / "model" / "Format-Serving"))
    history = np.array([[flagged, gone]], object), np.array([[b"like"] * 2], object)
    item_id, _ = served.recommend(
        *history, np.zeros((1, 2), np.int64), np.ones((1, 2), np.float32), k=150
    )
    shown = {item for item in item_id[0] if item}
    assert len(shown) == tiny_pipeline.NUM_ITEMS - 2
    assert not shown & {flagged, gone}
    manifest = served.manifest
    assert (manifest["num_candidates"], manifest["num_withdrawn"]) == (148, 2)
    known = catalog.read(served.directory)
    assert {item for item, entry in known.items() if entry.is_withdrawn} == {
        flagged,
        gone,
    }
    assert [item for item, entry in known.items() if entry.is_lost] == [gone]
    assert manifest["data"]["events"] == {"span": 7, "input_fingerprint": "num_bytes:1"}


def test_catalogue_that_was_cut_short_serves_nothing():
    """A quarter is gone; that much and no more may be, where the policy says so."""
    before = {b"i%d" % n: catalog.Item(title=b"t") for n in range(8)}
    before[b"old"] = catalog.Item(is_withdrawn=True)  # it is no loss any more
    newer = {b"i%d" % n: catalog.Item() for n in range(7)} | {b"new": catalog.Item()}
    newer[b"i0"] = catalog.Item(is_withdrawn=True)

    with pytest.raises(
        errors.InputError,
        match=r"lacks 1 of the 8 items.* withdraws 1 more: more than "
        r"`checks\.max_lost_items_share` = 0\.24 allows",
    ):
        servable.with_lost(newer, before, 0.24)

    kept = servable.with_lost(newer, before, 0.25)
    assert kept[b"i7"] == catalog.Item(title=b"t", is_withdrawn=True, is_lost=True)
    assert not kept[b"i0"].is_lost
    assert kept.keys() == before.keys() | {b"new"}


@pytest.mark.parametrize(
    ("item_ids", "withdrawn", "message"),
    [
        ([b"a", b"b", b"a"], (), "1 candidates stand twice .*: a;"),
        ([b"a", b"b"], (b"a", b"b"), "all 2 candidates are withdrawn.*`withdrawn`"),
    ],
)
def test_catalogue_that_cannot_be_served_builds_no_index(item_ids, withdrawn, message):
    items = {name: catalog.Item(is_withdrawn=True) for name in withdrawn}

    with pytest.raises(errors.InputError, match=message):
        servable.rows(np.array(item_ids, object), items)


def test_item_of_the_log_that_the_catalogue_lacks_has_a_line(tmp_path):
    path = tiny_pipeline.write_records(
        tmp_path / "catalog.gz",
        [tiny_pipeline.serialized(c) for c in tiny_pipeline.make_catalog()[:1]],
    )

    lines = catalog.lines(servable.read([path]), [tiny_pipeline.item_id(0), b"alone"])

    assert json.loads(lines[0]) == {
        "item_id": "alone",
        "title": "",
        "creator_id": "",
        "categories": [],
    }
    assert len(lines) == 2


def test_the_address_of_a_picture_goes_along(tmp_path):
    path = tiny_pipeline.write_records(
        tmp_path / "catalog.gz",
        [tiny_pipeline.serialized(c) for c in tiny_pipeline.make_catalog()[1:3]],
    )

    without, with_one = catalog.lines(servable.read([path]), [])

    assert json.loads(with_one)["image_url"] == "https://i.example/2"
    assert "image_url" not in json.loads(without)
