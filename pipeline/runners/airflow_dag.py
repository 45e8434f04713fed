"""Renders the Airflow DAG file: text in, text out, and neither TFX nor Airflow.

The rendered file imports Airflow alone. Airflow parses it every few seconds, and
importing TFX would take longer than its parser allows; so each task is a process of
the environment that compiled the DAG, and the two environments need share nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from schema import errors

_DAG_ID = re.compile(r"[A-Za-z0-9_.-]{1,250}")

_HEADER = '''"""The Airflow DAG of a Heed pipeline, written by `heed compile`.

Each task launches one node of the compiled pipeline in the file IR_NAME, which was
written together with this one and must lie beside it. Do not edit: compile again.
"""

from __future__ import annotations

import datetime
import hashlib
import pathlib

from airflow import DAG
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.hooks.subprocess import SubprocessHook
from airflow.models.baseoperator import BaseOperator
'''

_BODY = '''
IR = pathlib.Path(__file__).resolve().with_name(IR_NAME)
if not IR.is_file():
    raise FileNotFoundError(f"{IR} is missing: copy it beside the DAG file")
if hashlib.sha256(IR.read_bytes()).hexdigest() != IR_SHA256:
    raise RuntimeError(f"{IR} was not compiled together with {__file__}: copy both")


class RunNode(BaseOperator):
    """Launches one node; what it prints becomes the task's log."""

    def __init__(self, *, node, **kwargs):
        super().__init__(**kwargs)
        self.node = node

    def execute(self, context):
        # The run id reaches the process as one argument, past any shell.
        self._process = SubprocessHook()
        command = [*HEED, "run-node", "--ir", str(IR), "--node", self.node]
        result = self._process.run_command([*command, "--run-id", context["run_id"]])
        message = f"{self.node} ended with {result.exit_code}: {result.output}"
        if result.exit_code in FINAL_EXIT_CODES:
            raise AirflowFailException(message)
        if result.exit_code != 0:
            raise AirflowException(message)

    def on_kill(self):
        if hasattr(self, "_process"):
            self._process.send_sigterm()


with DAG(
    dag_id=DAG_ID,
    schedule=None,
    start_date=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    # SQLite takes one writer at a time, and two runs would race for the version
    # directory of the pushed model.
    max_active_runs=1,
    max_active_tasks=MAX_ACTIVE_TASKS,
    default_args={
        "retries": RETRIES,
        "retry_delay": datetime.timedelta(seconds=RETRY_DELAY_SEC),
        "execution_timeout": datetime.timedelta(seconds=TASK_TIMEOUT_SEC),
    },
    tags=["heed"],
) as dag:
    tasks = {node: RunNode(task_id=node, node=node) for node in UPSTREAM}
    for node, upstream in UPSTREAM.items():
        for other in upstream:
            tasks[other] >> tasks[node]
'''

RETRIES = 1
"""A retried task takes up its own execution; what had succeeded is not done again."""
RETRY_DELAY_SEC = 60
TASK_TIMEOUT_SEC = 12 * 3_600
"""Only a hanging task reaches it: training is by far the longest."""
FINAL_EXIT_CODES = (2, 3)
"""Bad input and a refused model: trying again changes neither."""
MAX_ACTIVE_TASKS = 1
"""One writer of the metadata file at a time."""


def render(
    dag_id: str,
    command: Sequence[str],
    ir_name: str,
    ir_sha256: str,
    upstream: Mapping[str, Sequence[str]],
) -> str:
    """Returns the source of the DAG file.

    Args:
      dag_id: the DAG's id, which is the pipeline's name.
      command: what starts the command line `heed`, word by word.
      ir_name: file name, without folder, of the compiled pipeline.
      ir_sha256: hexadecimal digest of that file's bytes.
      upstream: node id to the ids of the nodes that must have finished before.

    Raises:
      InputError: Airflow takes no such `dag_id`, or an upstream node is no node.
    """
    if not _DAG_ID.fullmatch(dag_id):
        raise errors.InputError(
            f"`pipeline.name` = {dag_id!r} is no Airflow DAG id: expected at most 250 "
            "letters, digits, dashes, dots and underscores"
        )
    unknown = {u for ids in upstream.values() for u in ids} - set(upstream)
    if unknown:
        raise errors.InputError(f"upstream nodes are no nodes: {sorted(unknown)}")
    constants = {
        "DAG_ID": dag_id,
        "HEED": list(command),
        "IR_NAME": ir_name,
        "IR_SHA256": ir_sha256,
        "RETRIES": RETRIES,
        "RETRY_DELAY_SEC": RETRY_DELAY_SEC,
        "TASK_TIMEOUT_SEC": TASK_TIMEOUT_SEC,
        "FINAL_EXIT_CODES": list(FINAL_EXIT_CODES),
        "MAX_ACTIVE_TASKS": MAX_ACTIVE_TASKS,
        "UPSTREAM": {node: list(ids) for node, ids in upstream.items()},
    }
    # JSON of strings, whole numbers, lists and tables is Python source as well.
    lines = [f"{key} = {json.dumps(v, indent=4)}" for key, v in constants.items()]
    return _HEADER + "\n" + "\n".join(lines) + "\n" + _BODY
