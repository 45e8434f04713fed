"""The headline figures that a verdict keeps: metadata alone tell what was measured."""

from __future__ import annotations

from schema import reports

_METRICS = (
    "recall@10",
    "ndcg@10",
    "negative_recall@10",
    "delta_ndcg@10",
    "index_recall@10",
)


def headline_figures(
    evaluation: reports.Evaluation | None, responsiveness: reports.Responsiveness | None
) -> reports.Figures:
    """Returns the leading figures of the reports; what is missing is left out."""
    metrics = evaluation.metrics if evaluation else {}
    effects = responsiveness.effects if responsiveness else {}
    measured = {
        similarity: {
            action: effect
            for action, effect in by_action.items()
            if effect.responsiveness is not None
        }
        for similarity, by_action in effects.items()
    }
    return reports.Figures(
        metrics={name: metrics[name] for name in _METRICS if name in metrics},
        responsiveness=measured,
    )
