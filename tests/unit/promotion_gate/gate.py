"""A gate that wants a response, and what it decides about the reports of `builders`."""

from components.promotion_gate import rules
from schema import settings
from tests import builders

NAN = float("nan")
# A gate that wants a response; the reports of `builders` pass it, but not by much.
POLICY = settings.GateSettings(
    min_recall_at_10=0.05,
    min_index_recall=0.9,
    min_lift_over_popularity=0.01,
    max_recall_drop=0.1,
    max_content_responsiveness=-0.1,
    max_creator_responsiveness=-0.1,
    max_lasting_responsiveness=-0.1,
    min_kept=0.4,
)


def decide(policy=POLICY, **changed):
    return rules.decide(builders.evidence(**changed), policy)


def failed(verdict):
    return [rule.name for rule in verdict.rules if not rule.passed]


def assert_blessed(verdict):
    assert failed(verdict) == []
    assert verdict.blessed


def assert_refused(verdict, *names):
    assert failed(verdict) == list(names)
    assert not verdict.blessed


def names(verdict):
    return [rule.name for rule in verdict.rules]


def hint(verdict, name):
    """What the one failed rule of a name says of its cause."""
    (found,) = [rule for rule in verdict.rules if rule.name == name]
    assert not found.passed
    return found.hint
