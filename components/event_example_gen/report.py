"""The content of `ingestion.json`, and what of it refuses a log."""

from __future__ import annotations

from collections.abc import Sequence

from components.ingestion import counts
from schema import errors, features, settings

REPORT_FILE = "ingestion.json"


def ingestion_report(
    counts: counts.Counts, cuts_ms: tuple[int, int] | None, spans: Sequence[int] = ()
) -> counts.Counts:
    """Returns the content of `ingestion.json`, every key present.

    Args:
      counts: sum over all workers.
      cuts_ms: where the eval and the test split begin; None under leave_last_out.
      spans: numbers of the spans that were read; none without a pattern.
    """
    rejected = dict(sorted(counts.get("events_rejected", {}).items()))
    labels = counts.get("labels", {})
    examples = counts.get("examples", {})
    polarities = ("positive", "negative", "neutral")
    return {
        "events_read": counts.get("events_read", 0),
        "events_kept": counts.get("events_kept", 0),
        "events_rejected": rejected,
        "events_deduplicated": counts.get("events_deduplicated", 0),
        "users": counts.get("users", 0),
        "items": counts.get("items", 0),
        "interactions": counts.get("interactions", 0),
        "examples": {split: examples.get(split, 0) for split in features.SPLITS},
        "labels": {
            split: {p: labels.get(split, {}).get(p, 0) for p in polarities}
            for split in features.SPLITS
        },
        "split_times_ms": list(cuts_ms) if cuts_ms else None,
        "spans": list(spans),
    }


def check_splits(counts: counts.Counts, data: settings.DataSettings) -> None:
    """Raises if nothing is left to train on.

    Raises:
      InputError: the training split holds no label.
    """
    if not counts["examples"][features.TRAIN]:
        raise errors.InputError(
            f"{data.events}: the training split is empty; the time cuts "
            f"{counts['split_times_ms']} leave no event before them. Lower "
            f"`data.split_quantiles`, or set `data.split` to 'leave_last_out'."
        )
