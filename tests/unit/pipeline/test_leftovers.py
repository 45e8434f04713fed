"""What killed processes leave is removed, and nothing else."""

import os
import pathlib

import pytest

from pipeline import leftovers, root_lock
from schema import errors, files

LEFT = [
    ".promotion.json.0123456789abcdef0123456789abcdef.tmp",
    "reports/.promotion.json.0123456789abcdef0123456789abcdef.tmp",
    "serving_models/heed/.incomplete-1700000000/variables/variables.index",
    "artifacts/Trainer/.system/executor_execution/13/.temp/13/part",
    "artifacts/EventTransform/transformed/9/Split-train/beam-temp-x-af17/part",
    "artifacts/Evaluation/evaluation/18/.a.json.0123456789abcdef0123456789abcdef.tmp",
]
KEPT = [
    "metadata.sqlite",
    "reports/promotion.json",
    "reports/decisions.jsonl",
    "serving_models/heed/1700000000/saved_model.pb",
    "serving_models/heed/.withdrawn/1600000000/saved_model.pb",
    "artifacts/Trainer/.system/stateful_working_dir/abc/state",
    "artifacts/Trainer/model/13/.temporary-notes",
    "artifacts/Trainer/model/13/weights.tmp",
    "artifacts/checkpoints/key/state.index",
]


@pytest.fixture
def root(tmp_path):
    for name in (*LEFT, *KEPT):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def held(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_what_dead_processes_left_is_removed_and_nothing_else(root):
    leftovers.remove(root)
    assert held(root) == sorted(KEPT)
    assert not (root / "serving_models/heed/.incomplete-1700000000").exists()


def test_a_link_is_removed_without_what_it_leads_to(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "precious").write_text("x")
    (root / "serving_models/heed/.incomplete-1").symlink_to(elsewhere)
    leftovers.remove(root)
    assert (elsewhere / "precious").exists()
    assert not (root / "serving_models/heed/.incomplete-1").is_symlink()


def test_a_directory_without_any_run_is_left_alone(tmp_path):
    leftovers.remove(tmp_path)
    assert held(tmp_path) == []


def test_the_names_are_those_that_files_are_written_under(tmp_path):
    with files.aside(tmp_path / "report.json") as temporary:
        assert files.is_aside(os.path.basename(temporary))
        pathlib.Path(temporary).write_text("x")


def test_the_root_has_one_owner_at_a_time(tmp_path):
    with (
        root_lock.hold(tmp_path),
        pytest.raises(errors.InputError, match="another run or decision"),
        root_lock.hold(tmp_path),
    ):
        pass
    with root_lock.hold(tmp_path):
        pass
