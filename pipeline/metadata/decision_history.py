"""What the gate and people decided about models, read from ML Metadata alone.

The verdict lies in a property of the blessing, with the figures and the policy behind
it; human decisions are executions of their own. Years later, when artifacts and reports
are gone, the metadata file still tells what was decided and why.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
from typing import Any

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata import executions

HISTORY_FILE = "decisions.json"
HUMAN_DECISION = "HeedHumanDecision"
_MOST = 50
"""Entries of the file; metadata keep all."""


def open_store(path: pathlib.Path) -> metadata_store.MetadataStore:
    """Returns the store of a metadata file."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    return metadata_store.MetadataStore(config)


def read(store: metadata_store.MetadataStore) -> list[dict[str, Any]]:
    """Returns verdicts and human decisions, oldest first.

    A verdict has `decision` (`blessed` or `refused`, the gate's own word), `time`,
    `model_id`, `serves` (whether it may serve now, after what people decided),
    `failed` (the rules that refused it, with observed and required) and `figures`. A
    human decision has `decision` (`promote` or `rollback`), `time`, `reason`, `user`
    and `version`.
    """
    entries = [
        _verdict(artifact)
        for artifact in store.get_artifacts_by_type("ModelBlessing")
        if executions.property_of(artifact, "verdict")
    ]
    for execution in store.get_executions_by_type(HUMAN_DECISION):
        names = ("decision", "reason", "user", "version", "model_id")
        entries.append(
            {
                "time": _time(execution.create_time_since_epoch),
                **{
                    name: execution.custom_properties[name].string_value
                    for name in names
                    if name in execution.custom_properties
                },
            }
        )
    return sorted(entries, key=lambda entry: str(entry["time"]))


def _verdict(artifact: metadata_store_pb2.Artifact) -> dict[str, Any]:
    content = json.loads(executions.property_of(artifact, "verdict"))
    return {
        "decision": "blessed" if content["blessed"] else "refused",
        "time": _time(artifact.create_time_since_epoch),
        "model_id": content.get("model_id"),
        "serves": executions.property_of(artifact, "blessed") == 1,
        "failed": [rule for rule in content["rules"] if not rule["passed"]],
        "figures": content.get("figures", {}),
    }


def _time(milliseconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(
        milliseconds / 1_000, datetime.timezone.utc
    )
    return moment.isoformat(timespec="milliseconds")


def write(root: pathlib.Path) -> list[dict[str, Any]]:
    """Writes `reports/decisions.json` from the metadata of a run's directory."""
    entries = read(open_store(root / "metadata.sqlite"))[-_MOST:]
    folder = root / "reports"
    folder.mkdir(exist_ok=True)
    aside = folder / (HISTORY_FILE + ".part")
    aside.write_text(json.dumps(entries, indent=1, sort_keys=True), encoding="utf-8")
    os.replace(aside, folder / HISTORY_FILE)
    return entries
