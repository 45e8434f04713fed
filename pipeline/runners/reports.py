"""Copies the reports of finished steps to where people look for them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from pipeline.metadata import executions

REPORTS = {
    "EventExampleGen": ("ingestion_report", ("ingestion.json",)),
    "ItemCatalogGen": ("catalog_report", ("catalog.json",)),
    "Trainer": ("model_run", ("training_history.json",)),
    "Evaluation": ("evaluation", ("evaluation.json", "predictions.parquet")),
    "Responsiveness": ("responsiveness", ("responsiveness.json",)),
    "PromotionGate": ("promotion", ("promotion.json",)),
}
"""Node to its output and the files of it that are copied to `reports/`."""


def clear(root: str, node_ids: Iterable[str] = REPORTS) -> None:
    """Removes what earlier runs of the nodes published: it must not pass for new."""
    folder = os.path.join(root, "reports")
    os.makedirs(folder, exist_ok=True)
    for _, files in (REPORTS[node] for node in node_ids if node in REPORTS):
        for file in (*files, "report.html"):
            if os.path.exists(os.path.join(folder, file)):
                os.remove(os.path.join(folder, file))


def publish(root: str, node_id: str, outputs: executions.NodeOutputs | None) -> None:
    """Copies a finished (or reused) node's reports to `ROOT/reports`."""
    if node_id in REPORTS and outputs is not None:
        key, files = REPORTS[node_id]
        for file in files:
            _copy(os.path.join(outputs.artifacts[key].uri, file), root)


def publish_of_failed(root: str, node_id: str) -> None:
    """Copies what a failed node reported before it failed.

    Its artifacts were never registered; the newest directory is the failed one.
    """
    if node_id not in REPORTS:
        return
    key, files = REPORTS[node_id]
    base = os.path.join(root, "artifacts", node_id, key)
    executions = [int(n) for n in os.listdir(base)] if os.path.isdir(base) else []
    if executions:
        for file in files:
            _copy(os.path.join(base, str(max(executions)), file), root)


def _copy(source: str, root: str) -> None:
    if os.path.exists(source):
        target = os.path.join(root, "reports", os.path.basename(source))
        shutil.copyfile(source, target + ".part")
        os.replace(target + ".part", target)
