"""A retried task takes up its own execution, as `heed run-node` launches it."""

import json
import pathlib
import sqlite3
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = pathlib.Path(__file__).parents[2]
MLMD_COMPLETE = 3


def heed(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def compiled(tmp_path):
    items = tmp_path / "items.csv"
    events = tmp_path / "events.csv"
    events.write_text("user_id,item_id,timestamp,action\nu,i,1600000000000,like\n")
    done = heed(
        *("compile", "--runner", "airflow", "--root", str(tmp_path / "root")),
        *("--set", f"data.events={events}", "--set", f"data.items={items}"),
        *("--output", str(tmp_path / "heed_dag.py")),
    )
    assert done.returncode == 0, done.stderr
    return tmp_path


def run_catalog(folder):
    return heed(
        *("run-node", "--ir", str(folder / "heed_dag.ir.json")),
        *("--node", "ItemCatalogGen", "--run-id", "manual__2024 'x'"),
    )


def executions(folder):
    with sqlite3.connect(folder / "root/metadata.sqlite") as connection:
        query = "select id, last_known_state from Execution order by id"
        return connection.execute(query).fetchall()


def test_failed_node_is_retried_and_a_finished_one_is_not_repeated(compiled):
    missing = run_catalog(compiled)
    assert missing.returncode == 2, missing.stderr
    assert "items.csv" in missing.stderr.splitlines()[-1]
    (failed,) = executions(compiled)
    assert failed[1] != MLMD_COMPLETE

    (compiled / "items.csv").write_text("item_id,title\ni,First\n")
    retried = run_catalog(compiled)
    assert retried.returncode == 0, retried.stderr
    assert executions(compiled) == [(failed[0], MLMD_COMPLETE)]
    report = compiled / "root/reports/catalog.json"
    assert json.loads(report.read_text())["items_kept"] == 1

    # A task that is run again after its success must leave the outputs alone.
    (compiled / "items.csv").write_text("item_id,title\ni,First\nj,Second\n")
    again = run_catalog(compiled)
    assert again.returncode == 0, again.stderr
    assert executions(compiled) == [(failed[0], MLMD_COMPLETE)]
    assert json.loads(report.read_text())["items_kept"] == 1
