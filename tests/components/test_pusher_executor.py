import json
import os
import subprocess

import pytest
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.pusher import executor
from schema import errors
from serving.bundle import integrity, versions
from tests.components import fake_artifacts

NOW = 1_700_000_000


def make_model(folder, model_id="m-1"):
    """A SavedModel's folder as far as pushing it is concerned."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text("graph", encoding="utf-8")
    (folder / "variables" / "variables.index").write_text("w", encoding="utf-8")
    integrity.write_manifest(str(folder), {"model_id": model_id} if model_id else {})
    return folder


@pytest.fixture
def served(tmp_path):
    return tmp_path / "served"


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = NOW

    monkeypatch.setattr(executor.time, "time", lambda: Clock.now)
    return Clock


def push(model, served):
    return executor.push(str(model), str(served))


def test_model_becomes_a_version_with_all_its_files(tmp_path, served, clock):
    version_dir = push(make_model(tmp_path / "m"), served)

    assert version_dir == str(served / str(NOW))
    found = {
        os.path.relpath(os.path.join(folder, name), version_dir)
        for folder, _, names in os.walk(version_dir)
        for name in names
    }
    assert found == {
        "saved_model.pb",
        "variables/variables.index",
        "assets.extra/manifest.json",
    }
    assert os.listdir(served) == [str(NOW)]


def test_verdict_of_the_gate_lies_beside_the_manifest(tmp_path, served, clock):
    verdict = json.dumps({"blessed": True, "rules": [{"name": "recall@10"}]})

    version_dir = executor.push(str(make_model(tmp_path / "m")), str(served), verdict)

    with open(os.path.join(version_dir, "assets.extra", "verdict.json")) as file:
        assert json.load(file)["rules"] == [{"name": "recall@10"}]


def test_same_model_is_not_pushed_twice(tmp_path, served, clock):
    first = push(make_model(tmp_path / "m"), served)
    clock.now += 100

    assert push(make_model(tmp_path / "again"), served) == first
    assert versions.numbers(str(served)) == [NOW]


def test_other_models_in_one_second_get_a_version_each(tmp_path, served, clock):
    push(make_model(tmp_path / "m", "m-1"), served)
    push(make_model(tmp_path / "n", "m-2"), served)
    push(make_model(tmp_path / "o", "m-1"), served)  # back again: newest is m-2

    assert versions.numbers(str(served)) == [NOW, NOW + 1, NOW + 2]


def test_version_grows_even_if_the_clock_goes_back(tmp_path, served, clock):
    push(make_model(tmp_path / "m", "m-1"), served)
    clock.now -= 1_000

    push(make_model(tmp_path / "n", "m-2"), served)

    assert versions.numbers(str(served)) == [NOW, NOW + 1]


def test_models_without_an_id_are_never_taken_for_the_same(tmp_path, served, clock):
    push(make_model(tmp_path / "m", None), served)
    push(make_model(tmp_path / "n", None), served)

    assert versions.numbers(str(served)) == [NOW, NOW + 1]


def test_copy_that_fails_leaves_no_version_behind(tmp_path, served, clock, monkeypatch):
    model = make_model(tmp_path / "m")

    def fail_half_way(source, target, **options):
        os.makedirs(target)
        with open(os.path.join(target, "saved_model.pb"), "w") as file:
            file.write("half")
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(executor.shutil, "copytree", fail_half_way)
        with pytest.raises(OSError, match="disk full"):
            push(model, served)
    assert versions.numbers(str(served)) == []

    version_dir = push(model, served)
    assert (served / str(NOW) / "variables").is_dir()
    assert os.listdir(served) == [os.path.basename(version_dir)]


# --- what is pushed is what was exported ------------------------------------------


def test_damaged_model_is_not_pushed(tmp_path, served, clock):
    model = make_model(tmp_path / "m")
    (model / "variables" / "variables.index").write_text("v", encoding="utf-8")

    with pytest.raises(errors.InputError, match=r"m/variables/variables\.index is not"):
        push(model, served)
    assert not served.exists()


def test_copy_that_differs_is_no_version(tmp_path, served, clock, monkeypatch):
    model = make_model(tmp_path / "m")

    def copy_with_noise(source, target):
        os.makedirs(os.path.dirname(target))
        subprocess.run(["cp", "-r", source, target], check=True)
        with open(os.path.join(target, "saved_model.pb"), "w") as file:
            file.write("noise")

    monkeypatch.setattr(executor.shutil, "copytree", copy_with_noise)
    with pytest.raises(errors.InputError, match=r"saved_model\.pb is not the file"):
        push(model, served)
    assert os.listdir(served) == []


def test_model_that_changes_while_it_is_copied_is_no_version(
    tmp_path, served, clock, monkeypatch
):
    model, other = make_model(tmp_path / "m"), make_model(tmp_path / "n", "m-2")

    def copy_of_another(source, target):
        os.makedirs(os.path.dirname(target))
        subprocess.run(["cp", "-r", str(other), target], check=True)

    monkeypatch.setattr(executor.shutil, "copytree", copy_of_another)

    with pytest.raises(errors.InputError, match="replaced while it was copied"):
        push(model, served)
    assert os.listdir(served) == []


def test_served_version_that_was_overwritten_is_pushed_anew(tmp_path, served, clock):
    model = make_model(tmp_path / "m")
    first = push(model, served)
    with open(os.path.join(first, "saved_model.pb"), "w") as file:
        file.write("noise")

    again = push(model, served)

    assert again == str(served / str(NOW + 1))
    with open(os.path.join(again, "saved_model.pb")) as file:
        assert file.read() == "graph"


# --- the executor -----------------------------------------------------------------


@pytest.fixture
def outputs(tmp_path):
    return {
        "pushed_model": [
            fake_artifacts.make(standard_artifacts.PushedModel, tmp_path / "pushed")
        ]
    }


def blessing(kind, tmp_path, is_blessed):
    artifact = fake_artifacts.make(kind, tmp_path / kind.__name__)
    artifact.set_int_custom_property("blessed", int(is_blessed))
    return [artifact]


def run(tmp_path, served, outputs, model_blessed=True, infra_blessed=True, **changes):
    make_model(tmp_path / "model" / "Format-Serving")
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(served))
    )
    inputs = {
        "model": [fake_artifacts.make(standard_artifacts.Model, tmp_path / "model")],
        "model_blessing": blessing(
            standard_artifacts.ModelBlessing, tmp_path, model_blessed
        ),
        "infra_blessing": blessing(
            standard_artifacts.InfraBlessing, tmp_path, infra_blessed
        ),
        **changes,
    }
    executor.Executor().Do(
        inputs,
        outputs,
        {"push_destination": proto_utils.proto_to_json(destination)},
    )
    return outputs["pushed_model"][0]


def test_blessed_model_is_pushed_and_says_where(tmp_path, served, outputs, clock):
    pushed = run(tmp_path, served, outputs)

    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == str(NOW)
    assert pushed.get_string_custom_property("pushed_destination") == str(
        served / str(NOW)
    )
    assert (served / str(NOW) / "saved_model.pb").exists()


@pytest.mark.parametrize(
    ("model_blessed", "infra_blessed"), [(False, True), (True, False), (False, False)]
)
def test_refused_model_is_not_pushed(
    tmp_path, served, outputs, model_blessed, infra_blessed
):
    pushed = run(tmp_path, served, outputs, model_blessed, infra_blessed)

    assert pushed.get_int_custom_property("pushed") == 0
    assert not served.exists()


@pytest.mark.parametrize("key", ["model_blessing", "infra_blessing"])
def test_blessing_that_is_not_wired_is_an_error(tmp_path, served, outputs, key):
    with pytest.raises(RuntimeError, match=f"nothing is pushed without `{key}`"):
        run(tmp_path, served, outputs, **{key: []})
    assert not served.exists()
