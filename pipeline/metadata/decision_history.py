"""What the gate and people decided about models, read from ML Metadata alone.

The verdict lies in a property of the blessing, with the figures and the policy behind
it; human decisions are executions of their own. Years later, when artifacts and reports
are gone, the metadata file still tells what was decided and why.
"""

from __future__ import annotations

import datetime
import pathlib

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata import mlmd
from schema import reports

HUMAN_DECISION = "HeedHumanDecision"
_MOST = 50
"""Entries of the file; metadata keep all."""


def verdict(blessing: metadata_store_pb2.Artifact) -> reports.Promotion | None:
    """Returns the gate's report that a blessing keeps; None: it keeps none."""
    text = mlmd.property_of(blessing, "verdict")
    where = f"the verdict in {blessing.uri}"
    return reports.parse(text, reports.Promotion, where) if text else None


def read(store: metadata_store.MetadataStore) -> list[reports.Decision]:
    """Returns verdicts and human decisions, oldest first."""
    entries = [
        reports.Decision(
            decision="blessed" if promotion.blessed else "refused",
            time=_time(blessing.create_time_since_epoch),
            model_id=promotion.model_id,
            serves=mlmd.property_of(blessing, "blessed") == 1,
            failed=tuple(rule for rule in promotion.rules if not rule.passed),
            figures=promotion.figures,
        )
        for blessing in store.get_artifacts_by_type("ModelBlessing")
        if (promotion := verdict(blessing)) is not None
    ]
    for execution in store.get_executions_by_type(HUMAN_DECISION):
        kept = {
            name: execution.custom_properties[name].string_value
            for name in ("decision", "reason", "user", "version", "model_id")
            if name in execution.custom_properties
        }
        time = _time(execution.create_time_since_epoch)
        entries.append(reports.Decision.model_validate({"time": time, **kept}))
    return sorted(entries, key=lambda entry: entry.time)


def _time(milliseconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(
        milliseconds / 1_000, datetime.timezone.utc
    )
    return moment.isoformat(timespec="milliseconds")


def write(root: pathlib.Path) -> None:
    """Writes `reports/decisions.json` from the metadata of a run's directory."""
    entries = read(mlmd.open_store(root))[-_MOST:]
    reports.write(
        root / "reports" / reports.DECISIONS_FILE, reports.Decisions(tuple(entries))
    )
