"""The DAG file as text: needs neither Airflow nor TFX."""

import ast
import hashlib
import sys
import types

import pytest

from pipeline.runners import airflow_dag
from schema import errors

# a feeds b and c; both feed d.
DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
IR = b'{"nodes": []}'


def render(**changes):
    arguments = {
        "dag_id": "heed",
        "command": ["/opt/heed env/bin/python", "-m", "pipeline.cli"],
        "ir_name": "heed.ir.json",
        "ir_sha256": hashlib.sha256(IR).hexdigest(),
        "upstream": DIAMOND,
    }
    return airflow_dag.render(**{**arguments, **changes})


class FakeDag:
    def __init__(self, **settings):
        self.settings = settings

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass


class FakeOperator:
    def __init__(self, *, task_id):
        self.task_id = task_id
        self.upstream = []

    def __rshift__(self, other):
        other.upstream.append(self.task_id)


class FakeHook:
    """Stands for the process: notes the command, ends as the test wants it."""

    exit_code = 0

    def run_command(self, command):
        type(self).command = command
        return types.SimpleNamespace(exit_code=self.exit_code, output="last line")


@pytest.fixture
def load_dag(monkeypatch, tmp_path):
    """Returns a function that executes DAG source as Airflow would import it."""

    class Retried(Exception):
        pass

    class Final(Exception):
        pass

    members = {
        "airflow": {"DAG": FakeDag},
        "airflow.exceptions": {
            "AirflowException": Retried,
            "AirflowFailException": Final,
        },
        "airflow.hooks": {},
        "airflow.hooks.subprocess": {"SubprocessHook": FakeHook},
        "airflow.models": {},
        "airflow.models.baseoperator": {"BaseOperator": FakeOperator},
    }
    for name, content in members.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)

    def load(source, ir=IR):
        path = tmp_path / "dag.py"
        path.write_text(source)
        if ir is not None:
            (tmp_path / "heed.ir.json").write_bytes(ir)
        names = {"__file__": str(path), "__name__": "dag"}
        exec(compile(source, str(path), "exec"), names)
        return types.SimpleNamespace(**names, Retried=Retried, Final=Final)

    return load


def test_imports_only_the_standard_library_and_airflow():
    tree = ast.parse(render())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"__future__", "datetime", "hashlib", "pathlib", "airflow"}


def test_tasks_are_wired_as_the_nodes_are(load_dag):
    dag = load_dag(render())
    upstream = {name: task.upstream for name, task in dag.tasks.items()}
    assert upstream == {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def test_one_run_and_one_task_at_a_time(load_dag):
    settings = load_dag(render()).dag.settings
    assert settings["dag_id"] == "heed"
    assert settings["max_active_runs"] == 1
    assert settings["max_active_tasks"] == 1
    assert settings["catchup"] is False
    assert settings["default_args"]["retries"] == 1
    assert settings["default_args"]["execution_timeout"].total_seconds() == 43_200


@pytest.mark.parametrize(
    "run_id",
    ["manual__2024-01-01T00:00:00+00:00", "it's; rm -rf $HOME", "{{ ds }}", "ü ü"],
)
def test_run_id_is_one_argument_whatever_it_holds(load_dag, tmp_path, run_id):
    dag = load_dag(render())
    dag.tasks["b"].execute({"run_id": run_id})
    assert FakeHook.command == [
        "/opt/heed env/bin/python",
        "-m",
        "pipeline.cli",
        "run-node",
        "--ir",
        str(tmp_path / "heed.ir.json"),
        "--node",
        "b",
        "--run-id",
        run_id,
    ]


@pytest.mark.parametrize(
    ("exit_code", "expected"), [(1, "Retried"), (137, "Retried"), (-15, "Retried")]
)
def test_failures_are_retried(load_dag, monkeypatch, exit_code, expected):
    dag = load_dag(render())
    monkeypatch.setattr(FakeHook, "exit_code", exit_code)
    with pytest.raises(getattr(dag, expected), match=f"b ended with {exit_code}"):
        dag.tasks["b"].execute({"run_id": "r"})


@pytest.mark.parametrize("exit_code", [2, 3])
def test_bad_input_and_refusal_are_final(load_dag, monkeypatch, exit_code):
    dag = load_dag(render())
    monkeypatch.setattr(FakeHook, "exit_code", exit_code)
    with pytest.raises(dag.Final, match="last line"):
        dag.tasks["b"].execute({"run_id": "r"})


def test_compiled_pipeline_must_lie_beside_the_dag(load_dag):
    with pytest.raises(FileNotFoundError, match=r"heed\.ir\.json is missing: copy"):
        load_dag(render(), ir=None)


def test_compiled_pipeline_of_another_compilation_is_refused(load_dag):
    with pytest.raises(RuntimeError, match="was not compiled together with"):
        load_dag(render(), ir=b'{"nodes": [1]}')


def test_constants_survive_quotes_and_backslashes(load_dag):
    command = ['/a "b"/c\\d/ü', "-m", "pipeline.cli"]
    assert command == load_dag(render(command=command)).HEED


@pytest.mark.parametrize("dag_id", ["", "two words", "a/b", "ü", "x" * 251])
def test_bad_dag_id(dag_id):
    with pytest.raises(errors.InputError, match=r"`pipeline\.name`"):
        render(dag_id=dag_id)


def test_unknown_upstream():
    with pytest.raises(errors.InputError, match="'z'"):
        render(upstream={"a": ["z"]})
