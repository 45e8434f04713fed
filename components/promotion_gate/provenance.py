"""Rules about what the reports are about: sound data, this model, these examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.promotion_gate import rule

_STALE_MODEL = (
    "the report was made on another model: it is stale, or the model was replaced or "
    "rebuilt after it; run again from IndexBuilder on"
)
_OTHER_EXAMPLES = (
    "the report was measured on other examples than this run's: it comes from another "
    "log, or from before the log was read again; run again from EventExampleGen on"
)


def sound_data(name: str, content: Mapping[str, Any] | None) -> rule.RuleResult:
    """Returns the rule that no split of the data has anomalies.

    Args:
      name: of the rule.
      content: of `anomalies.json`, split to `examples` and `anomalies`; None: missing.
    """
    checked = {
        split: entry["anomalies"]
        for split, entry in sorted((content or {}).items())
        if isinstance(entry, Mapping) and isinstance(entry.get("anomalies"), Mapping)
    }
    if not checked:
        hint = "the data were not checked: wire the report of the anomaly check"
        return rule.RuleResult(name, "no report on anomalies", "none", False, hint)
    found = [
        f"split {split}, {feature}: {reason}"
        for split, anomalies in checked.items()
        for feature, reason in sorted(anomalies.items())
    ]
    hint = "mend the log or, if the new form is right, the schema in `schema/`"
    return rule.RuleResult(
        name, "; ".join(found) or "none", "none", not found, hint if found else ""
    )


def same_model(
    name: str, content: Mapping[str, Any], model_id: str | None
) -> rule.RuleResult:
    """Returns the rule that a report is about the model to be pushed."""
    observed = content.get("model_id")
    return rule.equal(name, observed, model_id, _STALE_MODEL)


def same_examples(
    name: str, content: Mapping[str, Any], examples_uri: str | None
) -> rule.RuleResult:
    """Returns the rule that a report was measured on this run's examples."""
    observed = content.get("examples_uri")
    return rule.equal(name, observed, examples_uri, _OTHER_EXAMPLES)
