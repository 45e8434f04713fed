"""Rules about what the reports are about: sound data, this model, these examples."""

from __future__ import annotations

from components.promotion_gate import rule
from schema import reports

_STALE_MODEL = (
    "the report was made on another model: it is stale, or the model was replaced or "
    "rebuilt after it; run again from IndexBuilder on"
)
_OTHER_FILES = (
    "the report was measured on other files than those that would be pushed: the model "
    "was built once more, replaced or damaged; run again from IndexBuilder on"
)
_OTHER_EXAMPLES = (
    "the report was measured on other examples than this run's: it comes from another "
    "log, or from before the log was read again; run again from EventExampleGen on"
)


def valid(report: str, reason: str) -> reports.Rule:
    """Returns the failed rule that a report's file is what its name says."""
    hint = "the file was damaged, changed, or written by another version; run its step "
    return rule.result(f"{report}_is_valid", reason, "valid", False, hint + "again")


def whole_model(digest: str | None, damage: str) -> reports.Rule:
    """Returns the rule that the model's files are those that were exported.

    Args:
      digest: of the verified files; None: they are not those.
      damage: which one is not, and how.
    """
    return rule.result(
        "model_files",
        "as exported" if digest else damage or "not verified",
        "as exported",
        digest is not None,
        "the model was damaged or replaced after IndexBuilder; delete its folder and "
        "run again",
    )


def sound_data(
    name: str, anomalies: reports.Anomalies | None, split: str
) -> reports.Rule:
    """Returns the rule that no split of the data has anomalies.

    Args:
      name: of the rule.
      anomalies: what was found; None: unchecked.
      split: that must have been looked at; another one may be empty.
    """
    if anomalies is None or not anomalies.root:
        hint = "the data were not checked: wire the report of the anomaly check"
        return rule.result(name, "no report on anomalies", "none", False, hint)
    if split not in anomalies.root or not anomalies.root[split].examples:
        hint = "nothing was looked at, so that nothing was found: run its check again"
        seen = f"no example of split {split} was checked"
        return rule.result(name, seen, "none", False, hint)
    found = [
        f"split {split}, {feature}: {reason}"
        for split, checked in sorted(anomalies.root.items())
        for feature, reason in sorted(checked.anomalies.items())
    ]
    hint = "mend the log or, if the new form is right, the schema in `schema/`"
    return rule.result(name, "; ".join(found) or "none", "none", not found, hint)


def same_model(name: str, observed: str | None, model_id: str | None) -> reports.Rule:
    """Returns the rule that a report is about the model to be pushed."""
    return rule.equal(name, observed, model_id, _STALE_MODEL)


def same_files(name: str, observed: str | None, digest: str | None) -> reports.Rule:
    """Returns the rule that these very files were measured, each byte of them.

    Args:
      name: of the rule.
      observed: digest of the files that were measured.
      digest: of those that would be pushed; None: they are damaged.
    """
    return rule.equal(name, observed, digest, _OTHER_FILES)


def same_origin(
    name: str,
    report: reports.Evaluation | reports.Responsiveness,
    model_id: str | None,
    digest: str | None,
    examples_uri: str | None,
) -> list[reports.Rule]:
    """Returns the rules that a report is about this model and this run's examples."""
    measured_on, of_these = report.examples_uri, f"{name}_is_of_these_examples"
    return [
        same_model(f"{name}_is_of_this_model", report.model_id, model_id),
        same_files(f"{name}_is_of_these_files", report.model_digest, digest),
        rule.equal(of_these, measured_on, examples_uri, _OTHER_EXAMPLES),
    ]
