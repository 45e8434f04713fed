"""An artifact that was changed is made anew, as one that lost its folder is."""

import shutil

import pytest

from pipeline.metadata import executions, seals
from serving.bundle import integrity
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
    return seals.set_aside(log.store, node, "heed")


def test_whole_artifacts_stay(log, tmp_path):
    (tmp_path / "report").mkdir()
    log.execute(
        "r1", "Gen", {"examples": log.artifact(examples(tmp_path / "1"), SPLITS)}
    )
    log.execute("r1", "Gen", {"report": log.artifact(str(tmp_path / "report"))})
    assert set_aside(log) == {}
    assert (tmp_path / "1" / "Split-eval").is_dir()


@pytest.mark.parametrize("emptied", [True, False])
def test_a_lost_split_sets_its_artifact_aside(log, tmp_path, emptied):
    whole, lost = examples(tmp_path / "1"), examples(tmp_path / "2", ["train"])
    if emptied:
        (tmp_path / "2" / "Split-eval").mkdir()
    log.execute("r1", "Gen", {"examples": log.artifact(whole, SPLITS)})
    log.execute("r2", "Gen", {"examples": log.artifact(lost, SPLITS)})
    assert set_aside(log, "Other") == {}
    assert set_aside(log) == {lost: "Split-eval has no files"}
    # TFX looks for the folder of that name, and runs the step when it is gone.
    assert not (tmp_path / "2").exists()
    assert (tmp_path / "2.incomplete" / "Split-train" / "examples.gz").is_file()
    assert (tmp_path / "1" / "Split-eval").is_dir()
    assert set_aside(log) == {}


def test_what_a_step_reads_is_not_its_own(log, tmp_path):
    read = log.artifact(examples(tmp_path / "1", ["train"]), SPLITS)
    log.execute("r1", "Statistics", {}, inputs=[("examples", read)])
    assert set_aside(log, "Statistics") == {}


def test_a_step_that_never_ran(log):
    assert set_aside(log) == {}


def pushed(log, tmp_path, run, version):
    """What the Pusher leaves: its artifact, and the version it tells of."""
    served = tmp_path / "served" / version
    served.mkdir(parents=True)
    (served / "saved_model.pb").write_bytes(b"graph")
    integrity.write_manifest(str(served), {})
    artifact = tmp_path / "PushedModel" / run
    artifact.mkdir(parents=True)
    told = {"pushed": 1, "pushed_destination": str(served)}
    made = log.artifact(str(artifact), **told)
    log.execute(run, "Pusher", {"pushed_model": made})
    return artifact, served


def test_version_that_is_served_whole_is_not_pushed_again(log, tmp_path):
    pushed(log, tmp_path, "r1", "100")
    assert set_aside(log, "Pusher") == {}


def test_served_version_of_noise_is_pushed_again(log, tmp_path):
    artifact, served = pushed(log, tmp_path, "r1", "100")
    (served / "saved_model.pb").write_bytes(b"noise")

    found = set_aside(log, "Pusher")

    assert list(found) == [str(artifact)]
    assert (
        "100/saved_model.pb is not the file that was exported" in found[str(artifact)]
    )


def test_served_version_that_is_gone_is_pushed_again(log, tmp_path):
    artifact, served = pushed(log, tmp_path, "r1", "100")
    shutil.rmtree(served)

    assert list(set_aside(log, "Pusher")) == [str(artifact)]


def test_older_versions_may_be_pruned(log, tmp_path):
    _, older = pushed(log, tmp_path, "r1", "100")
    pushed(log, tmp_path, "r2", "200")
    shutil.rmtree(older)

    assert set_aside(log, "Pusher") == {}


def test_temporary_files_of_a_step_are_not_sealed(log, tmp_path):
    folder = tmp_path / "1"
    (folder / "beam-temp-x").mkdir(parents=True)
    for name in ("beam-temp-x/a", f".b.{'0' * 32}.tmp", "c"):
        (folder / name).write_bytes(b"x")
    made = log.artifact(str(folder))
    log.execute("r1", "Gen", {"thing": made})
    seals.seal(log.store, executions.node_outputs(log.store, "r1", "Gen", "heed"))
    shutil.rmtree(folder / "beam-temp-x")
    (folder / f".b.{'0' * 32}.tmp").unlink()

    assert set_aside(log) == {}
    (folder / "c").unlink()
    assert set_aside(log) == {str(folder): "c is missing"}
