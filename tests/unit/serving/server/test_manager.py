import asyncio
import os
import shutil
import threading

import numpy as np
import pytest

from schema import errors, settings
from serving.bundle import faults, signature
from serving.server import manager


class FakeModel:
    """Answers its version; fails or waits where the version's file says so."""

    def __init__(self, path, gate=None):
        text = (path / "saved_model.pb").read_text()
        if text == "broken":
            raise errors.InputError(f"{path} is broken")
        self._text = text
        self._number = int(path.name)
        self._gate = gate
        spec = signature.TensorSpec("int32", (None,))
        self.signatures = {
            "serving_default": signature.Signature({"k": spec}, {"version": spec})
        }
        self.signature_defs = {}

    def find_signature(self, name):
        return self.signatures[name]

    def run(self, inputs, signature_name="serving_default"):
        if self._text == "dumb":
            raise ValueError("cannot answer")
        if self._gate is not None and inputs["k"][0] == 99:
            assert self._gate.wait(10)
        return {"version": np.full(len(inputs["k"]), self._number, np.int32)}


def push(models_dir, number, text="fine"):
    path = models_dir / str(number)
    path.mkdir(exist_ok=True)
    (path / "saved_model.pb").write_text(text)


def run(models_dir, steps, loader=FakeModel, **more):
    async def scenario():
        # Two workers: one may be held while the other answers.
        chosen = settings.ServingSettings(
            num_workers=2, poll_interval_sec=3_600, **more
        )
        models = manager.ModelManager(models_dir, chosen, loader=loader)
        await models.start()
        try:
            await steps(models)
        finally:
            await models.stop()

    asyncio.run(scenario())


async def ask(servable, k=1):
    inputs = {"k": np.array([k], np.int32)}
    answer = await servable.predict(inputs, "serving_default")
    return int(answer["version"][0])


def states(models):
    return [(s.version, s.state) for s in models.statuses()]


def test_the_newest_version_is_served(tmp_path):
    push(tmp_path, 9)
    push(tmp_path, 10)

    async def steps(models):
        assert models.current_version == 10
        assert await ask(models.get()) == 10
        assert await ask(models.get(10)) == 10
        with pytest.raises(faults.RequestError, match="version 9 is not in service"):
            models.get(9)

    run(tmp_path, steps)


def test_a_new_version_takes_over_and_requests_under_way_finish(tmp_path):
    push(tmp_path, 1)
    gate = threading.Event()

    async def steps(models):
        old = asyncio.ensure_future(ask(models.get(), k=99))
        await asyncio.sleep(0.01)
        push(tmp_path, 2)
        await models.refresh()
        assert await ask(models.get()) == 2
        assert states(models) == [(2, "AVAILABLE"), (1, "UNLOADING")]
        gate.set()
        assert await old == 1
        await asyncio.sleep(0.05)
        assert states(models) == [(2, "AVAILABLE"), (1, "END")]

    run(tmp_path, steps, loader=lambda path: FakeModel(path, gate))


def test_a_removed_version_gives_way_to_the_one_before(tmp_path):
    push(tmp_path, 1)
    push(tmp_path, 2)

    async def steps(models):
        shutil.rmtree(tmp_path / "2")
        await models.refresh()
        assert await ask(models.get()) == 1

    run(tmp_path, steps)


@pytest.mark.parametrize("text", ["broken", "dumb"])
def test_a_version_that_fails_is_reported_and_the_previous_stays(tmp_path, text):
    push(tmp_path, 1)
    loads = []

    def loader(path):
        loads.append(path.name)
        return FakeModel(path)

    async def steps(models):
        push(tmp_path, 2, text)
        await models.refresh()
        await models.refresh()
        assert await ask(models.get()) == 1
        assert states(models) == [(2, "END"), (1, "AVAILABLE")]
        assert models.statuses()[0].error
        # Once, not at every look.
        assert loads == ["1", "2"]
        # Repaired (or copied to its end): it is tried again.
        push(tmp_path, 2, "fine now")
        await models.refresh()
        assert await ask(models.get()) == 2

    run(tmp_path, steps, loader)


def test_a_broken_newest_version_at_the_start_falls_back(tmp_path):
    push(tmp_path, 1)
    push(tmp_path, 2, "broken")

    async def steps(models):
        assert models.current_version == 1

    run(tmp_path, steps)


def test_files_that_change_under_a_served_version_do_no_harm(tmp_path):
    push(tmp_path, 1)
    push(tmp_path, 2)

    async def steps(models):
        push(tmp_path, 2, "broken")
        for _ in range(3):
            await models.refresh()
            assert await ask(models.get()) == 2
        (told,) = models.statuses()
        assert (told.version, told.state) == (2, "AVAILABLE")
        assert told.error.endswith("is broken")

    run(tmp_path, steps)


def test_files_that_are_exchanged_with_their_times_are_read_again(tmp_path):
    """As `cp --preserve` leaves them: the same size, the same time of change."""
    push(tmp_path, 1, "one way")
    path = tmp_path / "1" / "saved_model.pb"
    before = path.stat()
    loads = []

    def loader(path):
        loads.append((path / "saved_model.pb").read_text())
        return FakeModel(path)

    async def steps(models):
        path.write_text("another")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        await models.refresh()
        assert loads == ["one way", "another"]

    run(tmp_path, steps, loader)


def test_an_emptied_directory_keeps_the_last_version(tmp_path):
    push(tmp_path, 1)

    async def steps(models):
        shutil.rmtree(tmp_path / "1")
        await models.refresh()
        assert await ask(models.get()) == 1

    run(tmp_path, steps)


def test_an_empty_directory_waits_for_the_first_version(tmp_path):
    async def steps(models):
        with pytest.raises(faults.RequestError) as caught:
            models.get()
        assert caught.value.code == "NOT_FOUND"
        push(tmp_path, 1)
        await models.refresh()
        assert await ask(models.get()) == 1

    run(tmp_path, steps)


def test_the_first_load_is_unavailable_not_missing(tmp_path):
    models = manager.ModelManager(tmp_path, settings.ServingSettings())
    with pytest.raises(faults.RequestError) as caught:
        models.get()
    assert caught.value.code == "UNAVAILABLE"


def test_the_directory_is_watched(tmp_path):
    push(tmp_path, 1)

    async def scenario():
        models = manager.ModelManager(
            tmp_path,
            settings.ServingSettings(poll_interval_sec=0.01),
            loader=FakeModel,
        )
        await models.start()
        push(tmp_path, 2)
        while models.current_version != 2:
            await asyncio.sleep(0.01)
        await models.stop()

    asyncio.run(asyncio.wait_for(scenario(), 10))


LABELS = {"stable": 1, "canary": 3}


def test_labelled_versions_stay_beside_the_newest(tmp_path):
    for number in (1, 2):
        push(tmp_path, number)

    async def steps(models):
        assert await ask(models.get()) == 2
        assert await ask(models.get(label="stable")) == 1
        assert await ask(models.get(1)) == 1
        with pytest.raises(
            faults.RequestError, match="version 3, which the label"
        ) as e:
            models.get(label="canary")
        assert e.value.code == "NOT_FOUND"
        for number in (3, 4):
            push(tmp_path, number)
            await models.refresh()
        assert await ask(models.get()) == 4
        assert await ask(models.get(label="stable")) == 1
        assert await ask(models.get(label="canary")) == 3
        with pytest.raises(faults.RequestError, match="in service; version 1, 3, 4 is"):
            models.get(2)
        assert dict(states(models)) == {
            **dict.fromkeys((1, 3, 4), "AVAILABLE"),
            2: "END",
        }

    run(tmp_path, steps, version_labels=LABELS)


def test_a_label_that_nobody_gave_is_not_found(tmp_path):
    push(tmp_path, 1)

    async def steps(models):
        with pytest.raises(faults.RequestError, match="there is canary, stable") as e:
            models.get(label="stabel")
        assert e.value.code == "NOT_FOUND"

    run(tmp_path, steps, version_labels=LABELS)


def test_two_labels_of_the_newest_version_load_it_once(tmp_path):
    push(tmp_path, 5)
    loaded = []

    def load(path):
        loaded.append(path.name)
        return FakeModel(path)

    async def steps(models):
        assert models.get(label="a") is models.get(label="b") is models.get()
        push(tmp_path, 5, "edited")
        await models.refresh()
        assert models.get(label="a") is models.get(label="b") is models.get()
        assert states(models) == [(5, "AVAILABLE")]

    run(tmp_path, steps, load, version_labels={"a": 5, "b": 5})
    assert loaded == ["5", "5"]
