"""The Kubeflow tasks without an executor, on files of this machine (imports TFX)."""

import json
import os

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def tasks():
    from pipeline.runners import kubeflow_tasks

    return kubeflow_tasks


def source_input(folder):
    config = {"splits": [{"name": "source", "pattern": "span-{SPAN}/*.csv"}]}
    return {
        "inputs": {
            "parameterValues": {
                "input_base": str(folder),
                "input_config": json.dumps(config),
            }
        }
    }


def write_span(folder, span, text):
    file = folder / f"span-{span}" / "events.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    # Whole seconds apart, or the same: it is the tests that choose.
    os.utime(file, ns=(10**18, 10**18))
    return file


def test_source_takes_the_newest_span(tasks, tmp_path):
    write_span(tmp_path, 9, "a")
    write_span(tmp_path, 10, "b")
    found = tasks.source(source_input(tmp_path))["parameterValues"]
    (split,) = json.loads(found["input_config"])["splits"]
    assert split["pattern"] == "span-10/*.csv"


def test_fingerprint_changes_with_the_files_and_only_then(tasks, tmp_path):
    def fingerprint():
        found = tasks.source(source_input(tmp_path))["parameterValues"]
        return found["input_fingerprint"]

    file = write_span(tmp_path, 1, "aaaa")
    first = fingerprint()
    assert fingerprint() == first
    # As many bytes as before, half a second later.
    file.write_text("bbbb")
    os.utime(file, ns=(10**18, 10**18 + 5 * 10**8))
    edited = fingerprint()
    assert edited != first
    write_span(tmp_path, 2, "bbbb")
    assert fingerprint() not in (first, edited)


def test_missing_span_is_bad_input(tasks, tmp_path):
    from schema import errors

    with pytest.raises(errors.InputError, match="no span"):
        tasks.source(source_input(tmp_path))


def write_model(folder, model_id):
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(model_id)
    manifest = json.dumps({"model_id": model_id})
    (folder / "assets.extra" / "manifest.json").write_text(manifest)


@pytest.fixture
def baseline_of(tasks, tmp_path):
    """Returns a function: the task's output artifact, given what has been pushed."""
    write_model(tmp_path / "candidate" / "Format-Serving", "candidate")

    def call(**pushed):
        for version, model_id in pushed.items():
            served = tmp_path / "root/serving_models/heed" / version.removeprefix("v")
            write_model(served, model_id)
        output = {"uri": str(tmp_path / "out"), "name": "model"}
        candidate = {"uri": str(tmp_path / "candidate")}
        executor_input = {
            "inputs": {
                "parameterValues": {
                    "root": str(tmp_path / "root"),
                    "serving_models": "heed-root:/serving_models/heed",
                },
                "artifacts": {"candidate": {"artifacts": [candidate]}},
            },
            "outputs": {"artifacts": {"model": {"artifacts": [output]}}},
        }
        (found,) = tasks.baseline(executor_input)["artifacts"]["model"]["artifacts"]
        return found

    return call


def test_no_baseline_before_the_first_push(baseline_of, tmp_path):
    assert baseline_of()["metadata"]["absent"] == 1
    assert not (tmp_path / "out").exists()


def test_newest_version_is_the_baseline(baseline_of, tmp_path):
    found = baseline_of(v99="older", v100="newer")
    assert found["metadata"]["absent"] == 0
    assert found["metadata"]["pushed_version"].endswith("serving_models/heed/100")
    copied = tmp_path / "out" / "Format-Serving" / "saved_model.pb"
    assert copied.read_text() == "newer"


def test_candidate_that_is_served_already_is_no_baseline(baseline_of, tmp_path):
    assert baseline_of(v1="older", v2="candidate")["metadata"]["absent"] == 1
    assert not (tmp_path / "out").exists()
