"""`serving_check.json`: what the canary saw in a fresh process."""

from __future__ import annotations

from schema.reports.base import Content, Count, Number, Share


class ServingCheck(Content):
    """`serving_check.json`; a canary that failed leaves no figures."""

    failures: tuple[str, ...]
    """Sentences; none: the model serves as promised."""
    model_id: str | None = None
    model_digest: str | None = None
    """Of all files of the model that the fresh process loaded."""
    requests: Count | None = None
    load_sec: Number = None
    latency_p50_ms: Number = None
    latency_p99_ms: Number = None
    max_score_difference: Number = None
    exact_overlap: Share = None
    """Share of what the exact twin recommends that is served."""
    repeated_or_seen_items: Count | None = None
    incomplete_answers: Count | None = None
    batch_disagreements: Count | None = None
    empty_history_items: Count | None = None
    """Recommendations to an empty history."""
