"""The version is said in pyproject.toml; what repeats it agrees."""

from __future__ import annotations

import pathlib
import re

import tomli

from schema import settings

ROOT = pathlib.Path(__file__).parents[2]
VERSION = tomli.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_image_of_kubeflow_has_the_version():
    kubeflow = (ROOT / "pipeline/configs/kubeflow.toml").read_text()

    assert settings.PipelineSettings().image == f"heed:{VERSION}"
    assert tomli.loads(kubeflow)["pipeline"]["image"].endswith(f"/heed:{VERSION}")


def test_the_changelog_tells_of_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == VERSION
