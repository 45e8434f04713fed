"""The wheel holds all that the command needs, away from the repository."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PACKAGES = ("components", "pipeline", "schema", "serving")
SOURCES = (
    "LICENSE",
    "NOTICE",
    "README.md",
    "pyproject.toml",
    "requirements/any.in",
    "setup.py",
)
DATA = (".pbtxt", ".toml", ".html", ".css", ".js")


def run(*arguments, cwd):
    # Neither the repository nor its settings are in sight.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "TF_USE_LEGACY_KERAS")
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: setuptools leaves its traces where it works."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in PACKAGES:
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in SOURCES:
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    built = run(
        "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index",
        "--wheel-dir", str(folder / "dist"), str(source),
        cwd=folder,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (path,) = (folder / "dist").glob("heed-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    done = run(
        "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(folder),
        str(wheel), cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_every_module_and_every_data_file_is_in_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {n for n in archive.namelist() if ".dist-info/" not in n}
    expected = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.suffix in (".py", *DATA) and "__pycache__" not in path.parts
    }

    assert packed == expected
    assert "pipeline/configs/movielens-small.toml" in packed
    assert "schema/events_schema.pbtxt" in packed


def test_metadata_name_the_licence_and_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        read = {
            name.partition(".dist-info/")[2]: archive.read(name).decode()
            for name in archive.namelist()
            if ".dist-info/" in name
        }

    assert "License-Expression: Apache-2.0" in read["METADATA"]
    assert "MovieLens" in read["licenses/NOTICE"]
    assert "heed = pipeline.cli:main" in read["entry_points.txt"]


def test_command_runs_from_there(installed):
    helped = run("-m", "pipeline.cli", "--help", cwd=installed)

    assert helped.returncode == 0, helped.stderr
    for command in ("run", "recommend", "serve", "compile", "print-config"):
        assert command in helped.stdout


def test_help_loads_nothing_heavy(installed):
    """Which is what lets it answer in under a second."""
    code = (
        "import sys, runpy\n"
        "sys.argv = ['heed', '--help']\n"
        "try:\n"
        "    runpy.run_module('pipeline.cli', run_name='__main__')\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'tensorflow', 'apache_beam', 'tfx', 'scann', 'pyarrow', 'pandas'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
        "import pipeline; print('from:', pipeline.__file__)\n"
    )

    done = run("-c", code, cwd=installed)

    assert "heavy: []" in done.stdout, done.stdout + done.stderr
    assert f"from: {installed}" in done.stdout


def test_packaged_config_is_found_from_there(installed):
    printed = run(
        "-m", "pipeline.cli", "print-config", "--config", "movielens-small",
        cwd=installed,
    )  # fmt: skip

    assert printed.returncode == 0, printed.stderr
    assert 'data.split = "leave_last_out"  # movielens-small.toml' in printed.stdout


def test_bad_config_ends_with_exit_code_2(installed):
    refused = run(
        "-m", "pipeline.cli", "validate-config", "--set", "train.epoch=3",
        cwd=installed,
    )  # fmt: skip

    assert refused.returncode == 2
    assert "`train.epochs`" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_wheel_asks_for_what_pip_can_resolve(wheel):
    """TFX and scann agree by an override only, which no metadata can say."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    asked = [line for line in lines if line.startswith("Requires-Dist: ")]

    assert any(line.startswith("Requires-Dist: pydantic") for line in asked)
    assert "Provides-Extra: serving" in lines
    assert not [line for line in asked if "tfx" in line or "beam" in line]
    heavy = [line for line in asked if "tensorflow" in line or "scann" in line]
    assert heavy
    assert all('extra == "serving"' in line for line in heavy)


def test_missing_pipeline_is_told_in_one_sentence(installed, tmp_path):
    """As in an environment that only serves."""
    sample = ROOT / "samples/movielens-small"
    code = (
        "import sys, runpy\n"
        "sys.modules['ml_metadata'] = sys.modules['tfx'] = None\n"
        "sys.argv = ['heed', 'run', '--config', 'movielens-small',\n"
        f"            '--root', {str(tmp_path)!r},\n"
        f"            '--set', 'data.events={sample}/ratings.csv',\n"
        f"            '--set', 'data.items={sample}/movies.csv']\n"
        "runpy.run_module('pipeline.cli', run_name='__main__')\n"
    )

    refused = run("-c", code, cwd=installed)

    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    assert "the Python package `ml_metadata` is missing" in line
    assert "requirements/py312.lock" in line
