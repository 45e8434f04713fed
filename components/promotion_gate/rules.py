"""The promotion policy: every rule must be shown to hold, or the model is refused.

Conditions are written so that NaN and None refuse. A worse figure never turns a
refusal into a blessing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from components.promotion_gate import demands, provenance, relevance, response, rule
from schema import features, reports, settings


@dataclasses.dataclass(frozen=True)
class Evidence:
    """All that the gate believes, and what it must be about; None: missing."""

    evaluation: reports.Evaluation | None
    responsiveness: reports.Responsiveness | None
    serving_check: reports.ServingCheck | None
    event_anomalies: reports.Anomalies | None
    """Of the event log."""
    catalog_anomalies: reports.Anomalies | None
    """Of the catalogue."""
    model_id: str | None
    """Of the model to be pushed."""
    model_digest: str | None
    """Of all its files, each of which was verified; None: they are not those that were
    exported."""
    examples_uri: str | None
    """Of this run's examples."""
    grounds: demands.Grounds
    """What responsiveness can be asked by."""
    baseline_model_id: str | None = None
    """Of the last blessed model; None: a first-ever model, or this very one."""
    model_damage: str = ""
    """Why there is no digest of the model."""
    invalid: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name of a report above, None because its file does not fit, to the reason."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The gate's decision; blessed only if every rule passed."""

    rules: tuple[reports.Rule, ...]

    @property
    def blessed(self) -> bool:
        """Whether the model may be pushed; nothing checked means no."""
        return bool(self.rules) and all(rule.passed for rule in self.rules)


def decide(evidence: Evidence, policy: settings.GateSettings) -> Verdict:
    """Returns the verdict on one model.

    Args:
      evidence: the reports, and what they must be about.
      policy: the gate's section.
    """
    evaluation = evidence.evaluation or reports.Evaluation(metrics={})
    responsiveness = evidence.responsiveness or reports.Responsiveness()
    about = (evidence.model_id, evidence.model_digest, evidence.examples_uri)
    rules = [
        *(provenance.valid(*invalid) for invalid in sorted(evidence.invalid.items())),
        provenance.whole_model(evidence.model_digest, evidence.model_damage),
        provenance.sound_data(
            "event_data_anomalies", evidence.event_anomalies, features.TRAIN
        ),
        provenance.sound_data(
            "catalog_data_anomalies", evidence.catalog_anomalies, features.CATALOG
        ),
        *provenance.same_origin("evaluation", evaluation, *about),
        *provenance.same_origin("responsiveness", responsiveness, *about),
        *relevance.rules(evaluation, evidence.baseline_model_id, policy),
        *response.rules(responsiveness, evidence.grounds, policy),
    ]
    if policy.require_serving_check:
        rules += _serving(evidence, policy.min_requests)
    return Verdict(tuple(rules))


def _serving(evidence: Evidence, min_requests: int) -> list[reports.Rule]:
    check = evidence.serving_check
    observed = "no serving check"
    if check is not None:
        observed = "; ".join(check.failures) or "none"
    return [
        provenance.same_model(
            "serving_check_is_of_this_model",
            check.model_id if check else None,
            evidence.model_id,
        ),
        provenance.same_files(
            "serving_check_is_of_these_files",
            check.model_digest if check else None,
            evidence.model_digest,
        ),
        rule.result(
            "serving_check_failures",
            observed,
            "none",
            check is not None and not check.failures,
            "a fresh process cannot serve this model as promised",
        ),
        rule.at_least(
            "serving_check_requests",
            check.requests if check else None,
            min_requests,
            "too few requests were served to promise anything: raise "
            "`serving_check.num_requests`, or mend what the check failed at",
        ),
    ]
