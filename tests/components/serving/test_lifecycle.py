"""Versions come and go under load; signals end the server in good order."""

import shutil
import signal
import socket
import threading
import time

import pytest

from schema import errors
from serving import client, requests
from serving.server import server as server_module
from tests.components.serving import tiny_model

EVENTS = [requests.Event("i3", "view", 1, 0.5)]
HISTORY = [("i3", "view", 1, 0.5)]
OLD = tiny_model.expected_slate(HISTORY, 3)
NEW = tiny_model.expected_slate(HISTORY, 3, shift=100.0)
assert OLD != NEW


def pairs(slate):
    return [(one.item_id, one.score) for one in slate]


def wait_until(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class Load:
    """Asks without pause from several threads and keeps answers and errors."""

    def __init__(self, target):
        self.answers = []
        self.failures = []
        self._stop = threading.Event()
        self._client = client.RecommendClient(target, deadline_sec=30, max_attempts=1)
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def _ask(self):
        while not self._stop.is_set():
            try:
                self.answers.append(pairs(self._client.recommend(EVENTS, k=3)))
            except client.ServingError as error:
                self.failures.append(error)
                return

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        self._client.close()


def push(version_dir, target):
    # As Pusher does: aside first, then renamed.
    aside = target.with_name(f"{target.name}.tmp")
    shutil.copytree(version_dir, aside)
    aside.rename(target)


def damaged(version_dir, tmp_path):
    """A copy whose last bit of the variables is flipped."""
    copy = shutil.copytree(version_dir, tmp_path / "damaged")
    path = copy / "variables" / "variables.data-00000-of-00001"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return copy


def test_versions_switch_under_load_without_a_lost_request(
    start_server, tiny_model_dir, shifted_model_dir, tmp_path
):
    models_dir = tmp_path / "heed"
    push(tiny_model_dir, models_dir / "1")
    process = start_server(models_dir)

    with Load(process.grpc) as load:
        wait_until(lambda: OLD in load.answers, "the first answer")
        # A version that cannot be loaded changes nothing.
        (models_dir / "5").mkdir()
        (models_dir / "5" / "saved_model.pb").write_bytes(b"garbage")
        wait_until(lambda: "version 5 is not served" in process.log(), "the report")
        assert set(map(tuple, load.answers)) == {tuple(OLD)}
        shutil.rmtree(models_dir / "5")
        # Nor does one with a flipped bit, whose numbers nobody would miss.
        push(damaged(shifted_model_dir, tmp_path), models_dir / "6")
        wait_until(lambda: "version 6 is not served" in process.log(), "the report")
        assert "variables.data-00000-of-00001 is not the file" in process.log()
        shutil.rmtree(models_dir / "6")

        push(shifted_model_dir, models_dir / "2")
        wait_until(lambda: NEW in load.answers, "version 2")
        shutil.rmtree(models_dir / "2")
        wait_until(lambda: load.answers[-1] == OLD, "version 1 again")

        # Under the server: other numbers, and it goes on as it was.
        path = models_dir / "1" / "variables" / "variables.data-00000-of-00001"
        path.write_bytes(path.read_bytes()[::-1])
        wait_until(lambda: "it is served as it was" in process.log(), "the report")
        asked = len(load.answers)
        wait_until(lambda: len(load.answers) > asked + 20, "answers")

    assert load.failures == []
    assert {tuple(answer) for answer in load.answers} == {tuple(OLD), tuple(NEW)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_drain(start_server, tiny_model_dir, tmp_path, number):
    push(tiny_model_dir, tmp_path / "1")
    process = start_server(tmp_path)

    with Load(process.grpc) as load:
        wait_until(lambda: len(load.answers) > 20, "load")
        process.process.send_signal(number)
        assert process.wait() == 0

    # After the signal new requests are refused; none that was taken is lost.
    assert {error.code for error in load.failures} <= {"UNAVAILABLE"}
    assert {tuple(answer) for answer in load.answers} == {tuple(OLD)}
    assert "Traceback" not in process.log()


def test_taken_ports_are_named(tiny_model_dir, tmp_path):
    shutil.copytree(tiny_model_dir, tmp_path / "1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(errors.InputError, match=rf"port {port} .*--rest-port"):
            server_module.serve(tmp_path, port, 0)
        with pytest.raises(errors.InputError, match=rf"port {port} .*--grpc-port"):
            server_module.serve(tmp_path, 0, port)


def test_wrong_directories_are_named(tiny_model_dir, tmp_path):
    with pytest.raises(errors.InputError, match="does not exist"):
        server_module.serve(tmp_path / "none", 0, 0)
    with pytest.raises(errors.InputError, match="one version of a model; give the"):
        server_module.serve(tiny_model_dir, 0, 0)
