"""`make setup` takes the locked set that the machine can hold.

What a machine has is given by the three commands that tell of it, so that machines of
every kind can be asked about on one.
"""

from __future__ import annotations

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BASH = "/bin/bash"


@pytest.fixture
def choose(tmp_path):
    """Asks for the choice on a machine with a glibc and some Pythons."""

    def command(name, text):
        path = tmp_path / name
        path.write_text(f"#!{BASH}\n{text}\n")
        path.chmod(0o755)

    def ask(glibc, *pythons, machine="x86_64", kernel="Linux", **variables):
        command("getconf", f"echo {glibc}" if glibc else "exit 1")
        command("uname", f'[ "$1" = -s ] && echo {kernel} || echo {machine}')
        for python in pythons:
            name, version = python.split("=")
            command(name, f"echo {version} {tmp_path}/{name}" if version else "exit 1")
        return subprocess.run(
            [BASH, str(ROOT / "requirements/choose.sh")],
            env={"PATH": str(tmp_path), "HOME": str(tmp_path), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return ask


def choices(answer, tmp_path):
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.replace(f"{tmp_path}/", "").splitlines()


@pytest.mark.parametrize(
    ("glibc", "pythons", "expected"),
    [
        # Debian 13, Ubuntu 24.04.
        ("glibc 2.41", ["python3=3.13"], ["py312 python3", "py310 uv:3.10:python3"]),
        ("glibc 2.39", ["python3=3.12"], ["py312 python3", "py310 uv:3.10:python3"]),
        # The newer set is the first choice, the older one holds where uv cannot help.
        (
            "glibc 2.41",
            ["python3=3.10"],
            ["py312 uv:3.12:python3", "py310 python3"],
        ),
        (
            "glibc 2.41",
            ["python3=3.11", "python3.12=3.12", "python3.10=3.10"],
            ["py312 python3.12", "py310 python3.10"],
        ),
        # Python 3.14 alone, Python 3.11 alone.
        (
            "glibc 2.42",
            ["python3=3.14"],
            ["py312 uv:3.12:python3", "py310 uv:3.10:python3"],
        ),
        ("glibc 2.36", ["python3=3.11"], ["py310 uv:3.10:python3"]),
        # TFDV has no wheel for glibc 2.38.
        ("glibc 2.38", ["python3=3.12"], ["py310 uv:3.10:python3"]),
        ("glibc 2.31", ["python3=3.8", "python3.10=3.10"], ["py310 python3.10"]),
        # pyenv's command is there, and no Python of that version behind it.
        ("glibc 2.36", ["python3.10=", "python3=3.9"], ["py310 uv:3.10:python3"]),
    ],
)
def test_best_set_comes_first(choose, tmp_path, glibc, pythons, expected):
    assert choices(choose(glibc, *pythons), tmp_path) == expected


def test_pythons_of_pyenv_are_found(choose, tmp_path):
    folder = tmp_path / ".pyenv/versions/3.12.9/bin"
    folder.mkdir(parents=True)
    python = folder / "python"
    python.write_text(f"#!{BASH}\necho 3.12 {python}\n")
    python.chmod(0o755)

    (first, _) = choices(choose("glibc 2.39", "python3="), tmp_path)

    assert first == "py312 .pyenv/versions/3.12.9/bin/python"


@pytest.mark.parametrize(
    ("glibc", "version", "expected"),
    [
        ("glibc 2.41", "3.13", ["py312 mine"]),
        ("glibc 2.41", "3.10", ["py310 mine"]),
        ("glibc 2.36", "3.10", ["py310 mine"]),
    ],
)
def test_named_python_is_taken(choose, tmp_path, glibc, version, expected):
    answer = choose(glibc, f"mine={version}", "python3=3.12", PYTHON="mine")

    assert choices(answer, tmp_path) == expected


@pytest.mark.parametrize(
    ("glibc", "version", "said"),
    [
        ("glibc 2.36", "3.12", "PYTHON=mine is Python 3.12"),
        ("glibc 2.41", "3.14", "PYTHON=mine is Python 3.14"),
        ("glibc 2.41", "3.11", "PYTHON=mine is Python 3.11"),
        ("glibc 2.41", "", "PYTHON=mine is no Python that starts"),
    ],
)
def test_named_python_that_no_set_is_for(choose, glibc, version, said):
    answer = choose(glibc, f"mine={version}", "python3=3.12", PYTHON="mine")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ({"glibc": "glibc 2.41"}, "install Python 3.12 or 3.13"),
        ({"glibc": "glibc 2.36"}, "install Python 3.10"),
        ({"glibc": ""}, "another libc"),
        ({"glibc": "glibc 2.41", "machine": "aarch64"}, "this is Linux on aarch64"),
        ({"glibc": "", "kernel": "Darwin"}, "this is Darwin on x86_64"),
    ],
)
def test_one_sentence_where_nothing_fits(choose, machine, said):
    answer = choose(**machine)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert said in answer.stderr
    assert "docker build" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_this_machine_can_take_one():
    answer = subprocess.run(
        [BASH, str(ROOT / "requirements/choose.sh")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split()[0] in ("py310", "py312")
