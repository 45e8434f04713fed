"""A tiny SavedModel on disk and the embedded server in a process of its own."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.components.serving import tiny_model

REPOSITORY = Path(__file__).parents[3]
START_SEC = 600

_SERVE = """
import json, logging, sys
from schema import settings
from serving.server import server
logging.basicConfig(level=logging.INFO)
chosen = settings.ServingSettings(**json.loads(sys.argv[2]))
server.serve(
    sys.argv[1], 0, 0, explore=True, chosen=chosen,
    on_ready=lambda ready: print("READY " + json.dumps(ready), flush=True),
)
"""


class ServerProcess:
    """`serve` in a subprocess, with what it printed."""

    def __init__(self, models_dir, **chosen):
        chosen = {"poll_interval_sec": 0.05, **chosen}
        environment = {
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_USE_LEGACY_KERAS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(models_dir), json.dumps(chosen)],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []
        ready = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(ready,), daemon=True)
        self._reader.start()
        try:
            self.ready = ready.get(timeout=START_SEC)
        except queue.Empty:
            self.kill()
            raise AssertionError("no READY:\n" + "".join(self.lines)) from None
        if self.ready is None:
            raise AssertionError("the server ended:\n" + "".join(self.lines))
        self.rest = f"http://127.0.0.1:{self.ready['rest_port']}"
        self.grpc = f"127.0.0.1:{self.ready['grpc_port']}"

    def _read(self, ready):
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("READY "):
                ready.put(json.loads(line.removeprefix("READY ")))
        ready.put(None)

    def metrics(self):
        """Returns name and labels, as the page writes them, to value."""
        address = f"{self.rest}/monitoring/prometheus/metrics"
        with urllib.request.urlopen(address, timeout=30) as response:
            lines = response.read().decode().splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    def log(self):
        return "".join(self.lines)

    def wait(self, timeout_sec=60):
        code = self.process.wait(timeout_sec)
        self._reader.join(5)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory):
    """Returns a version directory; copy it, never change it."""
    path = tmp_path_factory.mktemp("tiny") / "1"
    tiny_model.save(path)
    return path


@pytest.fixture(scope="session")
def shifted_model_dir(tmp_path_factory):
    """Returns the same model with all scores higher by 100."""
    path = tmp_path_factory.mktemp("shifted") / "2"
    tiny_model.save(path, shift=100.0)
    return path


@pytest.fixture(scope="module")
def server(tiny_model_dir, tmp_path_factory):
    """Returns a running server of version 1."""
    models_dir = tmp_path_factory.mktemp("models") / "heed"
    shutil.copytree(tiny_model_dir, models_dir / "1")
    process = ServerProcess(models_dir)
    yield process
    process.kill()


@pytest.fixture
def start_server():
    """Returns a function that starts a server on a models directory."""
    started = []

    def start(models_dir, **chosen):
        started.append(ServerProcess(models_dir, **chosen))
        return started[-1]

    yield start
    for process in started:
        process.kill()
