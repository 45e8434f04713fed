"""Human decisions on real metadata and real directories."""

import json
import pathlib

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline import decisions
from schema import errors


def store_of(root: pathlib.Path) -> metadata_store.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(root / "metadata.sqlite")
    config.sqlite.connection_mode = 3
    return metadata_store.MetadataStore(config)


def write_model(folder: pathlib.Path, model_id: str) -> None:
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph of " + model_id.encode())
    manifest = json.dumps({"model_id": model_id})
    (folder / "assets.extra" / "manifest.json").write_text(manifest)


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
    properties["verdict"].string_value = json.dumps({"model_id": model_id})
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
    version_dir = pathlib.Path(decisions.promote(root, "heed", "a launch"))
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
        decisions.promote(root, "heed", "why not")
    assert [p.name for p in (root / "serving_models" / "heed").iterdir()] == ["100"]


def test_rollback_withdraws_the_newest_and_its_blessing(root):
    write_model(root / "serving_models" / "heed" / "200", "bad")
    good = add_blessing(root, "good", blessed=1)
    bad = add_blessing(root, "bad", blessed=1)
    serving = decisions.rollback(root, "heed", "complaints")
    assert pathlib.Path(serving).name == "100"
    served = [p.name for p in (root / "serving_models" / "heed").iterdir()]
    assert sorted(served) == [".withdrawn", "100"]
    assert (blessed(root, good), blessed(root, bad)) == (1, 0)


def test_rollback_needs_something_to_go_back_to(root):
    add_blessing(root, "good", blessed=1)
    with pytest.raises(errors.InputError, match=r"holds 1 version"):
        decisions.rollback(root, "heed", "complaints")
    assert (root / "serving_models" / "heed" / "100" / "saved_model.pb").exists()


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_decision_needs_a_reason(root, reason):
    add_blessing(root, "refused", blessed=0)
    with pytest.raises(errors.InputError, match="--reason"):
        decisions.promote(root, "heed", reason)


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(errors.InputError, match=r"metadata\.sqlite"):
        decisions.rollback(tmp_path, "heed", "complaints")
