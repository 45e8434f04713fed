"""`make setup` builds an environment, keeps a good one and mends a bad one.

The real script, uv and pip work here on a checkout of their own, whose lock holds what
an editable install needs and nothing else.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SET = f"py3{10 if sys.version_info < (3, 12) else 12}"
METADATA = """
[build-system]
requires = ["setuptools>=68"]
build-backend = "setuptools.build_meta"
[project]
name = "heed"
version = "0"
[project.scripts]
heed = "heed:main"
[tool.setuptools]
py-modules = ["heed"]
"""
UV = next(
    (
        path
        for path in (ROOT / ".venv-uv/bin/uv", pathlib.Path(sys.prefix) / "bin/uv")
        if path.exists()
    ),
    None,
)

pytestmark = pytest.mark.skipif(UV is None, reason="uv is there after `make setup`")


class Checkout:
    """A checkout with a small lock, in which the set-up can be run."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "requirements").mkdir(parents=True)
        for name in ("choose.sh", "install.sh"):
            shutil.copy(ROOT / "requirements" / name, folder / "requirements" / name)
        (folder / "pyproject.toml").write_text(METADATA)
        (folder / "setup.py").write_text("import setuptools\nsetuptools.setup()\n")
        (folder / "heed.py").write_text("def main():\n    print('heeded')\n")
        self.lock("setuptools")

    def lock(self, *names):
        """Takes these packages of the real lock, with their hashes."""
        lock = (ROOT / f"requirements/{SET}-dev.lock").read_text()
        chosen = [
            re.search(rf"^{name}==.*?(?<!\\)$", lock, re.MULTILINE | re.DOTALL).group()
            for name in names
        ]
        path = self.folder / f"requirements/{SET}-dev.lock"
        path.write_text("\n".join(chosen) + "\n")

    def set_up(self, **variables):
        environment = {**os.environ, "PYTHON": sys.executable, **variables}
        environment.setdefault("PATH_FIRST", str(UV.parent))
        environment["PATH"] = f"{environment['PATH_FIRST']}:{os.environ['PATH']}"
        return subprocess.run(
            [self.folder / "requirements/install.sh", ".venv", "dev"],
            env={name: value for name, value in environment.items() if value},
            capture_output=True,
            text=True,
            check=False,
        )

    def heed(self):
        return subprocess.run(
            [self.folder / ".venv/bin/heed"], capture_output=True, text=True, check=True
        ).stdout


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def built(checkout):
    answer = checkout.set_up()
    assert answer.returncode == 0, answer.stderr
    return checkout


def test_environment_is_built_and_then_left_alone(built):
    assert built.heed() == "heeded\n"
    before = (built.folder / ".venv/.synced").stat().st_mtime_ns

    # Without a name the environment's own choice stands.
    again = built.set_up(PYTHON="")

    assert (again.returncode, again.stderr) == (0, "")
    assert (built.folder / ".venv/.synced").stat().st_mtime_ns == before


def test_changed_lock_is_installed_in_place(built):
    (built.folder / ".venv/kept").touch()
    built.lock("setuptools", "iniconfig")

    answer = built.set_up()

    assert answer.returncode == 0, answer.stderr
    assert "anew" not in answer.stderr
    assert (built.folder / ".venv/kept").exists()
    assert list((built.folder / ".venv").glob("lib/*/site-packages/iniconfig"))


def break_off(folder):
    (folder / ".venv/.synced").unlink()
    (folder / ".venv/bin/heed").unlink()
    return folder, "an earlier set-up was broken off"


def break_off_early(folder):
    shutil.rmtree(folder / ".venv")
    (folder / ".venv").mkdir()
    return folder, "an earlier set-up was broken off"


def lose_python(folder):
    (folder / ".venv/bin/python").unlink()
    (folder / ".venv/bin/python").symlink_to("/nowhere/python")
    return folder, "its Python is gone"


def move(folder):
    return folder.rename(folder.parent / "moved here"), "its checkout was moved"


@pytest.mark.parametrize("fault", [break_off, break_off_early, lose_python, move])
def test_broken_environment_is_built_anew(built, fault):
    built.folder, reason = fault(built.folder)

    answer = built.set_up()

    assert answer.returncode == 0, answer.stderr
    assert f".venv is built anew: {reason}" in answer.stderr
    assert built.heed() == "heeded\n"
    assert "anew" not in built.set_up().stderr


def test_what_is_no_environment_is_not_taken_away(checkout):
    (checkout.folder / ".venv").mkdir()
    (checkout.folder / ".venv/thesis.txt").write_text("mine")

    answer = checkout.set_up()

    assert answer.returncode == 2
    assert ".venv is no virtual environment: move it away" in answer.stderr
    assert (checkout.folder / ".venv/thesis.txt").read_text() == "mine"


def test_without_compiler(checkout, tmp_path):
    few = tmp_path / "bin"
    few.mkdir()
    for name in ("bash", "dirname", "cat", "sha256sum", "cut", "head", "tail", "sed",
                 "flock", "uname", "getconf", "ls", "rm", "mkdir", "ln"):  # fmt: skip
        (few / name).symlink_to(shutil.which(name))
    (few / "uv").symlink_to(UV)

    answer = subprocess.run(
        [
            shutil.which("bash"),
            checkout.folder / "requirements/install.sh",
            ".venv",
            "dev",
        ],
        env={"PATH": str(few), "HOME": str(tmp_path), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert "pyfarmhash is built from source, which needs g++" in answer.stderr
    assert not (checkout.folder / ".venv").exists()


def test_without_network(checkout, tmp_path):
    answer = checkout.set_up(UV_OFFLINE="1", UV_CACHE_DIR=str(tmp_path / "cache"))

    assert answer.returncode == 2
    assert "the packages could not be installed" in answer.stderr.splitlines()[-1]
    # What was left behind is not taken for an environment.
    assert "anew: an earlier set-up was broken off" in checkout.set_up().stderr
    assert checkout.heed() == "heeded\n"
