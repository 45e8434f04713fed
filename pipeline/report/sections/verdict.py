"""The banner, and the gate's rules in words: may this model serve, and why (not)."""

from __future__ import annotations

import dataclasses
import re

from pipeline.report import run_reports
from pipeline.report.wording import formatting
from schema import reports

_ITEMS = {
    "audience_nearest": "items nearest to it by their audience",
    "category_overlap": "items of shared categories",
    "content": "items of the same categories",
    "creator": "items of the same creator",
    r"\w+": "items that resemble it",
}
_BASES = {"before": "before it", "control": "had the user only met the item"}
_MEANINGS = {
    r"(\w+)_is_valid": "The report's file holds figures that can be.",
    r"model_files": "Each file of the model is the one that was exported.",
    r"(event|catalog)_data_anomalies": "The data that the model was trained on keep "
    "to their schema.",
    r"(\w+)_is_of_these_examples": "The figures were measured on the very data that "
    "the model was trained with.",
    r"delta_ndcg@(\d+) \(interval high\)": "What users went on to dislike does not "
    "rank above what they went on to like.",
    r"compared_with_the_last_blessed": "The comparison is with the very model that "
    "was blessed last.",
    r"negative_recall@(\d+)_rise_interval_low": "It does not clearly recommend more "
    "of what users go on to dislike than the model that serves now.",
    r"collateral\.(\S+).*": "A dislike does not take away too many other things that "
    "the user likes.",
    r"evaluation_is_of_this_model": "The relevance figures are about this very model.",
    r"responsiveness_is_of_this_model": "The responsiveness figures are about this "
    "very model.",
    r"serving_check_is_of_this_model": "The serving check was made with this very "
    "model.",
    r"(\w+)_is_of_these_files": "It was measured on these very files, byte by byte.",
    r"serving_check_failures": "A fresh server loads the model and answers correctly "
    "and fast enough.",
    r"recall@(\d+)": r"Enough of what users went on to like is among the first \1 "
    "recommendations.",
    r"recall@(\d+) \(interval low\) over chance": "It clearly finds more than items "
    "drawn at random do.",
    r"index_recall@(\d+)": r"The fast index returns the same first \1 as an exact "
    "search.",
    r"recall@(\d+)_over_popularity": "It finds at least as much as a plain list of "
    "popular items does.",
    r"recall@(\d+)_drop_interval_high": "It has not clearly fallen behind the model "
    "that serves now.",
    r"audience_nearest": "Whether users of whom nothing was learnt could judge.",
    r"(\S+)\.audience_nearest beside before \(interval low\)": "There, items nearest "
    "to the disliked one by their audience do not clearly rise.",
    r"persistence beside before .*": "Later on, no more of what resembles the disliked "
    "item is shown than had the user said nothing.",
    r"persistence\.events:(\d+) .*": r"\1 events after a dislike, there is still less "
    "of what resembles the disliked item.",
    r"replay .*": "A dislike at the end of real histories is answered as well.",
    r"short_histories .*": "A dislike at the end of short histories is answered as "
    "well.",
    r"specificity\.(\S+) .*": "What resembles a disliked item leaves the slate before "
    "the rest does.",
    r"simulations_in_further_situations": "There were enough of them later, and on "
    "real and short histories, too.",
    r"evaluated_users": "Enough users have held-out interactions.",
    r"serving_check_requests": "The fresh server was asked at all.",
    r"unheard\.(\S+)": "A dislike is answered for nearly everybody, and for nearly "
    "everything.",
    r"slices\.(\S+) .*": "It is answered for each group of users and of items.",
    r"simulations": "There were enough simulations to believe their intervals.",
    r"distinct_users": "They started from enough users.",
    r"collateral\.(\S+), as a rise .*": "A dislike does not fill the slate with one "
    "favourite.",
    r"concentration\.(\S+) .*": "What dislikes bring in is not all of one favourite.",
    r"kept\.(\S+)": r"A \1 leaves enough of the slate as it was.",
    **{
        rf"{similarity}\.(\S+) beside {base}.*": rf"After a \1, fewer {items} are "
        f"recommended than {than}."
        for similarity, items in _ITEMS.items()
        for base, than in _BASES.items()
    },
    r"responsiveness": "Whether the model heeds a dislike could be measured at all.",
}
"""Pattern of a rule's name to what it asks."""
_LONG_ID = 12
"""Characters of a model id that are shown where it is only compared."""


@dataclasses.dataclass(frozen=True)
class RuleRow:
    """One rule of the gate, ready to be shown."""

    name: str
    meaning: str
    observed: str
    required: str
    passed: bool
    hint: str = ""
    """What a failure most likely comes from."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What stands at the top of the report."""

    state: str
    """`blessed`, `refused` or `undecided`; also the banner's CSS class."""
    headline: str
    explanation: str
    model_id: str | None
    rules: tuple[RuleRow, ...]
    warnings: tuple[str, ...]

    @property
    def failed(self) -> tuple[RuleRow, ...]:
        """The rules that refused the model."""
        return tuple(rule for rule in self.rules if not rule.passed)


def meaning(rule_name: str) -> str:
    """Returns what a rule asks, in words; empty for a rule unknown here.

    Example:
      >>> meaning("creator.dislike beside before (interval high)")
      'After a dislike, fewer items of the same creator are recommended than before it.'
    """
    for pattern, text in _MEANINGS.items():
        match = re.fullmatch(pattern, rule_name)
        if match:
            return match.expand(text)
    return ""


def build(run: run_reports.RunReports) -> Verdict:
    """Returns the verdict of a run; undecided where the gate was not reached."""
    promotion = run.promotion
    rules = tuple(_row(rule) for rule in promotion.rules) if promotion else ()
    failed = sum(not rule.passed for rule in rules)
    if promotion is None:
        headline = "No verdict"
        explanation = (
            f"The run ended before the promotion gate: {reports.PROMOTION_FILE} is "
            "missing. Nothing was pushed by this run; the log of the run says which "
            "step failed."
        )
    elif promotion.blessed:
        headline = "Blessed"
        passed = (
            f"This model passed all {formatting.counted(len(rules), 'rule')}"
            if not failed
            else f"{failed} of {formatting.counted(len(rules), 'rule')} failed, "
            "and the model was blessed all the same"
        )
        explanation = f"{passed}: it may serve."
    else:
        headline = "Refused"
        explanation = (
            f"{failed} of {formatting.counted(len(rules), 'rule')} failed, so this "
            "model was not pushed; what served before still serves."
            if failed
            else "The gate checked no rule that could bless this model, so it was "
            "not pushed; what served before still serves."
        )
    return Verdict(
        state=headline.lower() if promotion else "undecided",
        headline=headline,
        explanation=explanation,
        model_id=promotion.model_id if promotion else _model_id(run),
        rules=rules,
        warnings=_mixed_models(run),
    )


def _row(rule: reports.Rule) -> RuleRow:
    if isinstance(rule.observed, float):
        observed = formatting.number(rule.observed)
    else:
        observed = rule.observed or f"{formatting.DASH} nothing was observed"
    required = rule.required.replace(">=", "\u2265").replace("<=", "\u2264")
    if len(observed) > _LONG_ID and required.endswith(observed):
        # Two equal ids say no more than that; the banner holds the whole one.
        short = f"{observed[:_LONG_ID]}\u2026"
        observed, required = short, required.replace(observed, short)
    return RuleRow(
        rule.name, meaning(rule.name), observed, required, rule.passed, rule.hint
    )


def _model_ids(run: run_reports.RunReports) -> dict[str, str]:
    """Returns which model each file is about; files that name none are left out."""
    files = {
        reports.PROMOTION_FILE: run.promotion,
        reports.EVALUATION_FILE: run.evaluation,
        reports.RESPONSIVENESS_FILE: run.responsiveness,
    }
    return {
        name: file.model_id
        for name, file in files.items()
        if file is not None and file.model_id is not None
    }


def _model_id(run: run_reports.RunReports) -> str | None:
    return next(iter(_model_ids(run).values()), None)


def _mixed_models(run: run_reports.RunReports) -> tuple[str, ...]:
    ids = _model_ids(run)
    if len(set(ids.values())) < 2:
        return ()
    listed = "; ".join(f"{file}: {model_id}" for file, model_id in ids.items())
    return (
        "The files of this report are about different models, so parts of it are left "
        f"over from an earlier run ({listed}).",
    )
