"""The DAG under the real Airflow; `make airflow-test` runs it."""

import importlib.util
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("airflow") is None,
        reason="Airflow is not installed here; `make airflow-test` has it",
    ),
]

REPOSITORY = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent
MLMD_COMPLETE, MLMD_CACHED = 3, 5
BEFORE_EVALUATION = {
    "EventExampleGen",
    "ItemCatalogGen",
    "EventStatistics",
    "CatalogStatistics",
    "EventSchema",
    "CatalogSchema",
    "EventValidator",
    "CatalogValidator",
    "EventAnomalyCheck",
    "CatalogAnomalyCheck",
    "EventTransform",
    "CatalogTransform",
    "Trainer",
    "IndexBuilder",
    "Responsiveness",
    "ServingCheck",
}
PARSE = """
import json, sys
from airflow.models import dagbag
bag = dagbag.DagBag(sys.argv[1], include_examples=False)
print(json.dumps({
    "errors": bag.import_errors,
    "dags": {
        dag_id: {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}
        for dag_id, dag in bag.dags.items()
    },
    "heavy": sorted({"tfx", "tensorflow", "apache_beam"} & set(sys.modules)),
}))
"""


class Site:
    """An Airflow of its own: SQLite, a DAG folder, and a root for the runs."""

    def __init__(self, folder):
        self.root = folder / "root"
        self.dags = folder / "dags"
        self.compiled = folder / "compiled" / "heed_dag.py"
        self.home = folder / "airflow"
        self.dags.mkdir(parents=True)
        self._environment = {
            **os.environ,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "SequentialExecutor",
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        }

    def call(self, *command, cwd=None):
        """Returns the finished process, with its output as text."""
        return subprocess.run(
            command,
            env=self._environment,
            cwd=cwd or self.dags,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def deploy(self, *options):
        """Compiles in one folder, from the repository, and deploys to another."""
        done = self.call(
            str(BIN / "heed"),
            *("compile", "--runner", "airflow", "--config", "test"),
            *("--root", str(self.root), "--output", str(self.compiled), *options),
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stdout
        for file in self.compiled.parent.iterdir():
            shutil.copy(file, self.dags)

    def run(self):
        """Runs the DAG once; returns the state of its newest run, and of its tasks."""
        before = len(self._query("select run_id from dag_run"))
        self.log = self.call(str(BIN / "airflow"), "dags", "test", "heed").stdout
        runs = self._query("select run_id, state from dag_run order by id")
        assert len(runs) == before + 1, self.log[-5_000:]
        run_id, state = runs[-1]
        tasks = self._query(
            "select task_id, state from task_instance where run_id = ?", run_id
        )
        return state, dict(tasks)

    def executions(self):
        """Returns the nodes' last executions: node id to state."""
        rows = _query(
            self.root / "metadata.sqlite",
            "select c.name, e.last_known_state from Execution e"
            " join Association a on a.execution_id = e.id"
            " join Context c on c.id = a.context_id"
            " join Type t on t.id = c.type_id where t.name = 'node' order by e.id",
        )
        return {name.removeprefix("heed."): state for name, state in rows}

    def versions(self):
        """Returns the pushed versions."""
        return sorted(p.name for p in (self.root / "serving_models/heed").iterdir())

    def _query(self, sql, *values):
        return _query(self.home / "airflow.db", sql, *values)


def _query(path, sql, *values):
    with sqlite3.connect(path) as connection:
        return connection.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    found = Site(tmp_path_factory.mktemp("site"))
    done = found.call(str(BIN / "airflow"), "db", "migrate")
    assert done.returncode == 0, done.stdout
    found.deploy()
    return found


def test_dag_parses_elsewhere_and_without_tfx(site):
    done = site.call(sys.executable, "-c", PARSE, str(site.dags))
    parsed = json.loads(done.stdout.splitlines()[-1])
    assert parsed["errors"] == {}
    assert parsed["heavy"] == []
    compiled = json.loads((site.dags / "heed_dag.ir.json").read_text())
    nodes = [node["pipelineNode"] for node in compiled["nodes"]]
    expected = {
        node["nodeInfo"]["id"]: sorted(node.get("upstreamNodes", [])) for node in nodes
    }
    assert {"EventExampleGen", "PromotionGate", "Pusher"} < set(expected)
    assert parsed["dags"] == {"heed": expected}


def test_paths_hold_from_any_working_directory(site):
    text = (site.dags / "heed_dag.ir.json").read_text()
    assert str(REPOSITORY / "samples/movielens-small/ratings.csv") in text
    assert '"samples/' not in text


@pytest.mark.e2e
def test_from_start_to_push_and_a_refused_model_pushes_nothing(site):
    state, tasks = site.run()
    assert state == "success", site.log[-5_000:]
    assert set(tasks.values()) == {"success"}
    assert set(site.executions().values()) == {MLMD_COMPLETE}
    (version,) = site.versions()
    assert (site.root / "serving_models/heed" / version / "saved_model.pb").is_file()
    reports = {p.name for p in (site.root / "reports").iterdir()}
    assert {
        "ingestion.json",
        "evaluation.json",
        "predictions.parquet",
        "responsiveness.json",
        "promotion.json",
    } <= reports
    promotion = json.loads((site.root / "reports/promotion.json").read_text())
    assert promotion["blessed"] is True

    # Nothing but the policy changes: the same model comes from the cache.
    site.deploy("--set", "gate.min_recall_at_10=1.0")
    state, tasks = site.run()
    assert state == "failed"
    assert tasks.pop("Pusher") == "failed"
    assert set(tasks.values()) == {"success"}
    assert "refused by the promotion gate; nothing was pushed" in site.log
    executions = site.executions()
    assert {n for n, s in executions.items() if s == MLMD_CACHED} == BEFORE_EVALUATION
    assert site.versions() == [version]
    promotion = json.loads((site.root / "reports/promotion.json").read_text())
    assert promotion["blessed"] is False
