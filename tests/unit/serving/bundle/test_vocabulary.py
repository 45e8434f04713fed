import json

import numpy as np
import pytest

from schema import errors
from serving.bundle import vocabulary


@pytest.fixture
def model_dir(tmp_path):
    extra = tmp_path / "assets.extra"
    extra.mkdir()
    policy = {"actions": {"view": {}, "dislike": {}}}
    (extra / "manifest.json").write_text(json.dumps({"config": {"feedback": policy}}))
    lines = [json.dumps({"item_id": item_id}) for item_id in ("a", "\u00e9")]
    (extra / "catalog.jsonl").write_text("\n".join(lines))
    return tmp_path


def array(*rows):
    return np.array([[text.encode() for text in row] for row in rows], object)


def test_unknown_actions_are_counted_by_element(model_dir):
    known = vocabulary.read(model_dir)
    actions = array(["view|DISLIKE", "view", ""], ["DISLIKE|hide", "dislike", "hide|"])
    assert known.unknown_actions(actions) == {"DISLIKE": 2, "hide": 2}


def test_unknown_items_are_counted_and_padding_is_none(model_dir):
    known = vocabulary.read(model_dir)
    assert known.count_unknown_items(array(["a", "b", ""], ["\u00e9", "c", "b"])) == 3


def test_without_files_every_name_passes(tmp_path):
    known = vocabulary.read(tmp_path)
    assert known.unknown_actions(array(["DISLIKE"])) == {}
    assert known.count_unknown_items(array(["b"])) == 0


def test_a_broken_catalogue_is_named(model_dir):
    (model_dir / "assets.extra" / "catalog.jsonl").write_text("nothing")
    with pytest.raises(errors.InputError, match=r"catalog\.jsonl, line 1"):
        vocabulary.read(model_dir)
