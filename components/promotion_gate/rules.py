"""The promotion policy: every rule must be shown to hold, or the model is refused.

Conditions are written so that NaN and None refuse. A worse figure never turns a
refusal into a blessing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from components.promotion_gate import provenance, relevance, response
from components.promotion_gate.rule import RuleResult, at_least, at_most
from schema import settings

__all__ = ["Evidence", "RuleResult", "Verdict", "at_least", "at_most", "decide"]

required_similarities = response.required_similarities


@dataclasses.dataclass(frozen=True)
class Evidence:
    """All that the gate believes, and what it must be about; None: missing."""

    evaluation: Mapping[str, Any] | None
    """Content of `evaluation.json`."""
    responsiveness: Mapping[str, Any] | None
    """Content of `responsiveness.json`."""
    serving_check: Mapping[str, Any] | None
    """Content of `serving_check.json`."""
    event_anomalies: Mapping[str, Any] | None
    """Content of the event log's `anomalies.json`."""
    catalog_anomalies: Mapping[str, Any] | None
    """Content of the catalogue's `anomalies.json`."""
    model_id: str | None
    """Of the model to be pushed."""
    examples_uri: str | None
    """Of this run's examples."""
    baseline_model_id: str | None = None
    """Of the last blessed model; None: a first-ever model, or this very one."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The gate's decision; blessed only if every rule passed."""

    rules: tuple[RuleResult, ...]

    @property
    def blessed(self) -> bool:
        """Whether the model may be pushed; nothing checked means no."""
        return bool(self.rules) and all(rule.passed for rule in self.rules)

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form of `promotion.json`; hints only where there are any."""
        rules = [dataclasses.asdict(rule) for rule in self.rules]
        for entry in rules:
            if not entry["hint"]:
                del entry["hint"]
        return {"blessed": self.blessed, "rules": rules}


def decide(evidence: Evidence, policy: settings.GateSettings) -> Verdict:
    """Returns the verdict on one model.

    Args:
      evidence: the reports, and what they must be about.
      policy: the gate's section.
    """
    evaluation = evidence.evaluation or {}
    responsiveness = evidence.responsiveness or {}
    model_id, examples = evidence.model_id, evidence.examples_uri
    rules = [
        provenance.sound_data("event_data_anomalies", evidence.event_anomalies),
        provenance.sound_data("catalog_data_anomalies", evidence.catalog_anomalies),
        provenance.same_model("evaluation_is_of_this_model", evaluation, model_id),
        provenance.same_examples(
            "evaluation_is_of_these_examples", evaluation, examples
        ),
        provenance.same_model(
            "responsiveness_is_of_this_model", responsiveness, model_id
        ),
        provenance.same_examples(
            "responsiveness_is_of_these_examples", responsiveness, examples
        ),
        *relevance.rules(evaluation, evidence.baseline_model_id, policy),
        *response.rules(responsiveness, policy),
    ]
    if policy.require_serving_check:
        rules += _serving(evidence.serving_check or {}, model_id)
    return Verdict(tuple(rules))


def _serving(
    serving_check: Mapping[str, Any], model_id: str | None
) -> list[RuleResult]:
    failures = serving_check.get("failures")
    observed = "no serving check"
    if isinstance(failures, list):
        observed = "; ".join(str(failure) for failure in failures) or "none"
    passed = failures == []
    hint = "" if passed else "a fresh process cannot serve this model as promised"
    return [
        provenance.same_model(
            "serving_check_is_of_this_model", serving_check, model_id
        ),
        RuleResult("serving_check_failures", observed, "none", passed, hint),
    ]
