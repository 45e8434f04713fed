"""Copies the reports of finished steps to where people look for them."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Iterable

from pipeline.metadata import executions
from schema import files, reports

REPORTS = {
    "EventExampleGen": ("ingestion_report", (reports.INGESTION_FILE,)),
    "ItemCatalogGen": ("catalog_report", (reports.CATALOG_FILE,)),
    "Trainer": ("model_run", (reports.TRAINING_FILE,)),
    "Evaluation": ("evaluation", (reports.EVALUATION_FILE, reports.PREDICTIONS_FILE)),
    "Responsiveness": ("responsiveness", (reports.RESPONSIVENESS_FILE,)),
    "PromotionGate": ("promotion", (reports.PROMOTION_FILE,)),
}
"""Node to its output and the files of it that are copied to `reports/`."""


def clear(root: str, node_ids: Iterable[str] = REPORTS) -> None:
    """Removes what earlier runs of the nodes published: it must not pass for new."""
    folder = os.path.join(root, "reports")
    os.makedirs(folder, exist_ok=True)
    for _, names in (REPORTS[node] for node in node_ids if node in REPORTS):
        for file in (*names, "report.html"):
            if os.path.exists(os.path.join(folder, file)):
                os.remove(os.path.join(folder, file))


def publish(root: str, node_id: str, outputs: executions.NodeOutputs | None) -> None:
    """Copies a finished (or reused) node's reports to `ROOT/reports`."""
    if node_id in REPORTS and outputs is not None:
        key, names = REPORTS[node_id]
        _copy(outputs.artifacts[key].uri, names, root)


def publish_of_failed(root: str, node_id: str) -> None:
    """Copies what a failed node reported before it failed.

    Its artifacts were never registered; the newest directory is the failed one.
    """
    if node_id in REPORTS:
        key, names = REPORTS[node_id]
        base = os.path.join(root, "artifacts", node_id, key)
        made_by = [int(n) for n in os.listdir(base)] if os.path.isdir(base) else []
        if made_by:
            _copy(os.path.join(base, str(max(made_by))), names, root)


def _copy(folder: str, names: Iterable[str], root: str) -> None:
    for name in names:
        source = os.path.join(folder, name)
        if os.path.exists(source):
            with files.aside(os.path.join(root, "reports", name)) as temporary:
                # Never readable by more people than the artifact, not for a moment.
                pathlib.Path(temporary).touch(mode=os.stat(source).st_mode & 0o777)
                shutil.copyfile(source, temporary)
