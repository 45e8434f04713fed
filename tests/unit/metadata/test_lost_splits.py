"""An artifact that lost a split is made anew, as one that lost its folder is."""

import pytest

from pipeline.metadata import lost_splits
from tests import metadata_log

SPLITS = ("train", "eval")


@pytest.fixture
def log():
    return metadata_log.Log()


def examples(folder, splits=SPLITS):
    for split in splits:
        (folder / f"Split-{split}").mkdir(parents=True)
        (folder / f"Split-{split}" / "examples.gz").write_bytes(b"x")
    return str(folder)


def set_aside(log, node="Gen"):
    return lost_splits.set_aside(log.store, node, "heed")


def test_whole_artifacts_stay(log, tmp_path):
    (tmp_path / "report").mkdir()
    log.execute(
        "r1", "Gen", {"examples": log.artifact(examples(tmp_path / "1"), SPLITS)}
    )
    log.execute("r1", "Gen", {"report": log.artifact(str(tmp_path / "report"))})
    assert set_aside(log) == []
    assert (tmp_path / "1" / "Split-eval").is_dir()


@pytest.mark.parametrize("emptied", [True, False])
def test_a_lost_split_sets_its_artifact_aside(log, tmp_path, emptied):
    whole, lost = examples(tmp_path / "1"), examples(tmp_path / "2", ["train"])
    if emptied:
        (tmp_path / "2" / "Split-eval").mkdir()
    log.execute("r1", "Gen", {"examples": log.artifact(whole, SPLITS)})
    log.execute("r2", "Gen", {"examples": log.artifact(lost, SPLITS)})
    assert set_aside(log, "Other") == []
    assert set_aside(log) == [lost]
    # TFX looks for the folder of that name, and runs the step when it is gone.
    assert not (tmp_path / "2").exists()
    assert (tmp_path / "2.incomplete" / "Split-train" / "examples.gz").is_file()
    assert (tmp_path / "1" / "Split-eval").is_dir()
    assert set_aside(log) == []


def test_what_a_step_reads_is_not_its_own(log, tmp_path):
    read = log.artifact(examples(tmp_path / "1", ["train"]), SPLITS)
    log.execute("r1", "Statistics", {}, inputs=[("examples", read)])
    assert set_aside(log, "Statistics") == []


def test_a_step_that_never_ran(log):
    assert set_aside(log) == []
