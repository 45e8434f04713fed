"""Human decisions on real metadata and real directories."""

import contextlib
import json
import pathlib
import sqlite3

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata import human_decisions
from schema import errors
from serving.bundle import integrity


def store_of(root: pathlib.Path) -> metadata_store.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(root / "metadata.sqlite")
    config.sqlite.connection_mode = 3
    return metadata_store.MetadataStore(config)


def write_model(folder: pathlib.Path, model_id: str) -> None:
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph of " + model_id.encode())
    integrity.write_manifest(str(folder), {"model_id": model_id})


def add_blessing(root: pathlib.Path, model_id: str, blessed: int) -> int:
    store = store_of(root)
    kind = store.put_artifact_type(
        metadata_store_pb2.ArtifactType(name="ModelBlessing")
    )
    artifact = metadata_store_pb2.Artifact(
        type_id=kind, state=metadata_store_pb2.Artifact.LIVE
    )
    properties = artifact.custom_properties
    properties["blessed"].int_value = blessed
    properties["current_model"].string_value = str(root / "models" / model_id)
    properties["verdict"].string_value = json.dumps(
        {
            "model_id": model_id,
            "blessed": bool(blessed),
            "rules": [
                {"name": "recall@10", "observed": 0.01, "required": ">= 0.02",
                 "passed": bool(blessed)},
            ],
            "figures": {"metrics": {"recall@10": {"value": 0.01}}},
        }
    )  # fmt: skip
    return store.put_artifacts([artifact])[0]


def blessed(root: pathlib.Path, artifact_id: int) -> int:
    (artifact,) = store_of(root).get_artifacts_by_id([artifact_id])
    return artifact.custom_properties["blessed"].int_value


@pytest.fixture
def root(tmp_path):
    write_model(tmp_path / "models" / "refused" / "Format-Serving", "refused")
    write_model(tmp_path / "serving_models" / "heed" / "100", "good")
    return tmp_path


def test_override_pushes_the_refused_model_and_records_it(root):
    artifact_id = add_blessing(root, "refused", blessed=0)
    version_dir = pathlib.Path(human_decisions.promote(root, "heed", "a launch"))
    assert (version_dir / "saved_model.pb").read_bytes() == b"graph of refused"
    assert int(version_dir.name) > 100
    assert blessed(root, artifact_id) == 1
    (execution,) = store_of(root).get_executions_by_type("HeedHumanDecision")
    assert execution.custom_properties["reason"].string_value == "a launch"
    line = json.loads((root / "reports" / "decisions.jsonl").read_text())
    assert (line["decision"], line["version"]) == ("promote", version_dir.name)


def test_a_blessed_model_needs_no_override(root):
    add_blessing(root, "refused", blessed=1)
    with pytest.raises(errors.InputError, match="nothing to override"):
        human_decisions.promote(root, "heed", "why not")
    assert [p.name for p in (root / "serving_models" / "heed").iterdir()] == ["100"]


def test_rollback_withdraws_the_newest_and_its_blessing(root):
    write_model(root / "serving_models" / "heed" / "200", "bad")
    good = add_blessing(root, "good", blessed=1)
    bad = add_blessing(root, "bad", blessed=1)
    serving = human_decisions.rollback(root, "heed", "complaints")
    assert pathlib.Path(serving).name == "100"
    served = [p.name for p in (root / "serving_models" / "heed").iterdir()]
    assert sorted(served) == [".withdrawn", "100"]
    assert (blessed(root, good), blessed(root, bad)) == (1, 0)


def test_rollback_needs_something_to_go_back_to(root):
    add_blessing(root, "good", blessed=1)
    with pytest.raises(errors.InputError, match=r"holds 1 version"):
        human_decisions.rollback(root, "heed", "complaints")
    assert (root / "serving_models" / "heed" / "100" / "saved_model.pb").exists()


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_decision_needs_a_reason(root, reason):
    add_blessing(root, "refused", blessed=0)
    with pytest.raises(errors.InputError, match="--reason"):
        human_decisions.promote(root, "heed", reason)


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(errors.InputError, match=r"metadata\.sqlite"):
        human_decisions.rollback(tmp_path, "heed", "complaints")


def sqlite_only(root, query):
    """What any tool can read of the metadata file, with nothing of ours."""
    with contextlib.closing(sqlite3.connect(root / "metadata.sqlite")) as connection:
        return connection.execute(query).fetchall()


def test_decision_and_verdict_can_be_read_from_the_sqlite_file_alone(root):
    artifact_id = add_blessing(root, "refused", blessed=0)
    human_decisions.promote(root, "heed", "a launch")

    (verdict,) = sqlite_only(
        root,
        "SELECT string_value FROM ArtifactProperty WHERE name = 'verdict' "
        f"AND artifact_id = {artifact_id}",
    )
    content = json.loads(verdict[0])
    assert content["blessed"] is False  # the gate's word stands
    assert content["rules"][0]["required"] == ">= 0.02"
    ((reason,),) = sqlite_only(
        root,
        "SELECT p.string_value FROM ExecutionProperty p "
        "JOIN Event e ON e.execution_id = p.execution_id "
        f"WHERE p.name = 'reason' AND e.artifact_id = {artifact_id}",
    )
    assert reason == "a launch"


def test_history_tells_the_gates_word_and_what_people_made_of_it(root):
    add_blessing(root, "good", blessed=1)
    add_blessing(root, "refused", blessed=0)
    human_decisions.promote(root, "heed", "a launch")
    human_decisions.rollback(root, "heed", "complaints")

    entries = json.loads((root / "reports" / "decisions.json").read_text())

    assert [e["decision"] for e in entries] == [
        "blessed", "refused", "promote", "rollback",
    ]  # fmt: skip
    good, refused, promoted, rolled_back = entries
    assert good["serves"] is True
    assert refused["serves"] is False
    assert refused["failed"][0]["name"] == "recall@10"
    assert refused["figures"]["metrics"]["recall@10"]["value"] == 0.01
    assert (promoted["reason"], promoted["model_id"]) == ("a launch", "refused")
    assert (rolled_back["reason"], rolled_back["model_id"]) == ("complaints", "refused")
