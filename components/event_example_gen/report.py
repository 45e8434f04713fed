"""The content of `ingestion.json`, and what of it refuses a log."""

from __future__ import annotations

from collections.abc import Sequence

from components.ingestion import counts
from schema import errors, features, reports, settings

_POLARITIES = ("positive", "negative", "neutral")


def ingestion_report(
    found: counts.Counts,
    cuts_ms: tuple[int, int] | None,
    spans: Sequence[int] = (),
    splits: Sequence[str] = features.SPLITS,
) -> reports.Ingestion:
    """Returns the content of `ingestion.json`, every key present.

    Args:
      found: sum over all workers.
      cuts_ms: where the eval and the test split begin; None under leave_last_out.
      spans: numbers of the spans that were read; none without a pattern.
      splits: that are told.
    """
    labels, examples = found.get("labels", {}), found.get("examples", {})
    content = {key: found.get(key, 0) for key in reports.Ingestion.model_fields} | {
        "events_rejected": found.get("events_rejected", {}),
        "examples": {split: examples.get(split, 0) for split in splits},
        "labels": {
            split: {p: labels.get(split, {}).get(p, 0) for p in _POLARITIES}
            for split in splits
        },
        "split_times_ms": cuts_ms,
        "spans": spans,
    }
    return reports.Ingestion.model_validate(content)


def check_splits(report: reports.Ingestion, data: settings.DataSettings) -> None:
    """Raises if nothing is left to train on.

    Raises:
      InputError: the training split holds no label.
    """
    if report.examples[features.TRAIN]:
        return
    if report.examples.get(features.JUDGE):
        raise errors.InputError(
            f"{data.events}: the training split is empty, because every user of it "
            "judges. Lower `responsiveness.judge_share`, or set it to 0."
        )
    cuts_ms = report.split_times_ms and list(report.split_times_ms)
    raise errors.InputError(
        f"{data.events}: the training split is empty; the time cuts {cuts_ms} "
        f"leave no event before them. Lower `data.split_quantiles`, or set "
        f"`data.split` to 'leave_last_out'."
    )
