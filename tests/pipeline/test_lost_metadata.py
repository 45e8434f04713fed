"""A root whose metadata are gone is told of before its first step."""

import pytest

from pipeline import config
from pipeline.runners import local
from schema import errors


def test_artifacts_without_metadata_are_named_with_a_way_out(tmp_path):
    (tmp_path / "artifacts" / "Trainer" / "model" / "13").mkdir(parents=True)
    with pytest.raises(errors.InputError, match=r"metadata\.sqlite is gone.*\(mv "):
        local.run(config.load("movielens-small").config, str(tmp_path))
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "artifacts"]
