"""Each page of "How to" is done as it says, and its result is what it shows."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from pyarrow import csv as arrow_csv
from typer import testing

from components.event_example_gen import mapping as event_mapping
from components.item_catalog_gen import mapping as item_mapping
from pipeline import cli, config
from pipeline.commands import shell
from tests import builders
from tests.unit.docs import pages
from tests.unit.promotion_gate import gate

HOW_TO = sorted((pages.DOCS / "how-to").glob("*.md"))
PACKAGES = ("components", "pipeline", "schema", "serving", "tests")
WITH_DIFF = [path for path in HOW_TO if pages.blocks(path, "diff")]
CONCEPTS = sorted((pages.DOCS / "concepts").glob("*.md"))


def written(page, folder, *titles):
    """Writes blocks of a page into a folder, under their titles."""
    for title in titles:
        (folder / title).write_text(pages.block(page, title), encoding="utf-8")


def rows(page, title):
    return list(csv.DictReader(io.StringIO(pages.block(page, title))))


def test_your_own_log_becomes_the_events_shown(tmp_path, monkeypatch):
    page = "how-to/own-log.md"
    written(page, tmp_path, "watched.csv", "mine.toml")
    monkeypatch.chdir(tmp_path)

    resolved = config.load("mine.toml")
    shell.check_sources(resolved)
    settings = resolved.config
    names = settings.feedback.names()
    made, reasons = event_mapping.to_events(
        arrow_csv.read_csv("watched.csv"),
        settings.mapping().events,
        settings.data,
        names,
    )

    refused = [reasons.of(row) for row in range(len(made.user))]
    users, items = made.user_ids.to_pylist(), made.item_ids.to_pylist()
    kept = [row for row, reason in enumerate(refused) if not reason]
    assert [reason for reason in refused if reason] == ["bad_timestamp"]
    told = testing.CliRunner().invoke(
        cli.shell.app, ["inspect", "--config", "mine.toml"]
    )
    assert pages.block(page, "inspect") in told.output
    assert [
        {
            "user_id": users[made.user[row]],
            "item_id": items[made.item[row]],
            "timestamp": str(made.timestamp[row]),
            "action": names[made.action[row]],
        }
        for row in kept
    ] == rows(page, "events")


def test_an_item_feature_becomes_the_values_shown(tmp_path, monkeypatch):
    page = "how-to/item-feature.md"
    written(page, tmp_path, "films.csv", "mine.toml")
    monkeypatch.chdir(tmp_path)

    settings = config.load("mine.toml").config
    items, reasons = item_mapping.to_items(
        arrow_csv.read_csv("films.csv"),
        settings.mapping().items,
        settings.data.item_features,
    )

    assert not any(reasons.of(row) for row in range(items.num_rows))
    assert [
        {
            "item_id": row["item_id"][0].decode(),
            "values": " ".join(value.decode() for value in row["attributes"]),
        }
        for row in items.to_pylist()
    ] == rows(page, "values")


@pytest.mark.parametrize("path", WITH_DIFF, ids=lambda path: path.stem)
def test_a_change_of_code_is_under_20_lines(path):
    (diff,) = pages.blocks(path, "diff")
    changed = re.findall(r"^[+-](?![+-]{2} )", diff.text, re.MULTILINE)

    assert 0 < len(changed) < 20


@pytest.mark.parametrize("path", CONCEPTS, ids=lambda path: path.stem)
def test_a_concept_says_what_the_code_does(path):
    for block in pages.blocks(path, "python"):
        exec(block.text, {})


@pytest.mark.parametrize("path", WITH_DIFF, ids=lambda path: path.stem)
def test_a_check_passes_once_the_change_is_made(path, tmp_path):
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(pages.ROOT / name, tmp_path / name, ignore=ignored)
    page = str(path.relative_to(pages.DOCS))
    check = pages.block(page, "check")
    for diff in pages.blocks(path, "diff"):
        applied = subprocess.run(
            ["git", "apply", "-C1", "-"],
            cwd=tmp_path,
            input=diff.text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert applied.returncode == 0, applied.stderr

    done = ran(tmp_path, "-c", check)

    assert done.returncode == 0, done.stderr


def ran(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_refusal_looks_as_shown():
    shown = json.loads(pages.block("how-to/refusal.md", "rule"))
    poor = builders.evaluation_report(recall=0.04)

    verdict = gate.decide(evaluation=poor)

    assert shown in [rule.model_dump(mode="json") for rule in verdict.rules]
