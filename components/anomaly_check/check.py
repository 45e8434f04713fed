"""What the checks find in the statistics of the splits, and when that stops a run."""

from __future__ import annotations

from collections.abc import Mapping

from components.anomaly_check import drift, request_log
from components.anomaly_check.config import AnomalyCheckConfig
from schema import errors, features, reports


def check(
    statistics: Mapping[str, drift.Statistics],
    anomalies: Mapping[str, Mapping[str, str]],
    before: Mapping[str, drift.Statistics],
    against: str,
    checks: AnomalyCheckConfig,
    split_examples: Mapping[str, int],
) -> reports.Anomalies:
    """Returns the anomalies of each split, its drift, and the skew of train.

    Args:
      statistics: split to those of the new data.
      anomalies: split to feature to description; those of an empty split do not count.
      before: split to the statistics of the data that passed before.
      against: where those lie.
      checks: thresholds.
      split_examples: split to the examples that it holds, sampled or not.

    Raises:
      InputError: the request log is missing or holds no requests.
    """
    found = {}
    for split, current in statistics.items():
        num_examples = drift.num_examples(current)
        found[split] = reports.SplitAnomalies(
            examples=num_examples,
            split_examples=split_examples.get(split, num_examples),
            anomalies=dict(anomalies[split]) if num_examples else {},
            drift=_compared(
                current,
                before.get(split),
                checks.max_drift,
                checks.min_examples,
                against,
            ),
        )
    if checks.request_log and features.TRAIN in found:
        skew = _skew(statistics[features.TRAIN], checks)
        found[features.TRAIN] = found[features.TRAIN].model_copy(update={"skew": skew})
    return reports.Anomalies(found)


def _skew(train: drift.Statistics, checks: AnomalyCheckConfig) -> reports.Comparison:
    """Returns how far the training split lies from the logged requests."""
    requests = request_log.read(checks.request_log)
    found = _compared(
        train,
        requests.statistics,
        checks.max_skew,
        checks.min_examples,
        checks.request_log,
    )
    read = {"requests": requests.num_requests, "bad_lines": requests.num_bad_lines}
    return found.model_copy(update=read)


def _compared(
    statistics: drift.Statistics,
    other: drift.Statistics | None,
    thresholds: Mapping[str, float],
    min_examples: int,
    against: str,
) -> reports.Comparison:
    """Returns the features' distances, or that there are none."""
    if other is None or min_examples > min(
        drift.num_examples(statistics), drift.num_examples(other)
    ):
        return reports.Comparison(against=against, compared=False, features={})
    moves = drift.moves(statistics, other, thresholds)
    return reports.Comparison(against=against, compared=True, features=moves)


def raise_on_anomalies(report: reports.Anomalies) -> None:
    """Raises InputError when any split of the report holds an anomaly."""
    lines = [
        f"split {split}, feature {feature}: {reason}"
        for split, entry in sorted(report.root.items())
        for feature, reason in sorted(entry.anomalies.items())
    ]
    if lines:
        raise errors.InputError(
            "the data break the curated schema: "
            + "; ".join(lines)
            + "; mend the log or, if the new form is right, the schema in `schema/`"
        )


def raise_on_moves(report: reports.Anomalies, max_drift_key: str) -> None:
    """Raises InputError when a feature has drifted, or is skewed, too far.

    Args:
      report: what was found.
      max_drift_key: the setting that holds the thresholds of drift.
    """
    lines = [
        f"split {split}, feature {feature}: {kind} {_told(move.value)} against "
        f"{compared.against} is above `{key}.{feature}` = {move.threshold:g}"
        for split, entry in sorted(report.root.items())
        for kind, key, compared in (
            ("drift", max_drift_key, entry.drift),
            ("skew", "checks.max_skew", entry.skew),
        )
        if compared is not None
        for feature, move in sorted(compared.features.items())
        if not move.allowed
    ]
    if lines:
        raise errors.InputError(
            "the distribution of the data has moved: "
            + "; ".join(lines)
            + ". Look at the log; if the change is right, raise the threshold for this "
            "run: data that pass are the measure of the next ones"
        )


def _told(value: float | None) -> str:
    return "nan" if value is None else f"{value:.4g}"
