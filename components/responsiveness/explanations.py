"""Why something was not measured, and what to know of what was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.responsiveness import effect, similarity, starts
from components.responsiveness.histories import Start
from schema import settings


def measurable(
    policy: settings.ResponsivenessSettings, feedback: settings.FeedbackSettings
) -> list[str]:
    """Returns the treatments that the feedback policy knows, without the control."""
    return [
        action
        for action in policy.treatment_actions
        if action in feedback.actions and action != policy.control_action
    ]


def unmeasured(
    policy: settings.ResponsivenessSettings,
    feedback: settings.FeedbackSettings,
    similarities: Sequence[similarity.Similarity],
    reason: str,
) -> dict[str, Any]:
    """Returns every `SIMILARITY.ACTION` without a figure, and why."""
    content = {}
    for action in policy.treatment_actions:
        why = reason
        if action not in feedback.actions:
            why = f"the feedback policy has no action {action!r}"
        elif action == policy.control_action:
            why = f"{action!r} is the control action itself"
        for s in similarities:
            answer = effect.no_answer(why or s.reason or "nothing was simulated")
            content[f"{s.name}.{action}"] = answer.to_dict()
    return content


def warnings(
    policy: settings.ResponsivenessSettings,
    log: starts.TrainingLog,
    windows: Sequence[Start],
    explicit: Sequence[str],
) -> list[str]:
    """Returns what a reader must know of the figures, as sentences.

    Args:
      policy: the section.
      log: the train split.
      windows: the users that are simulated.
      explicit: treatments that are explicit negative actions.
    """
    found = []
    if len(windows) < policy.simulations:
        found.append(
            f"{len(windows):,} users for {policy.simulations:,} simulations: users "
            "start more than once, and intervals resample users, not simulations"
        )
    if len(windows) < len(log.windows):
        found.append(
            f"{len(log.windows) - len(windows)} users are left out: their history and "
            "the trajectory would use up the catalogue"
        )
    found += [
        f"the train split holds no {action!r}: the model never saw one"
        for action in explicit
        if not log.action_counts.get(action)
    ]
    if not explicit:
        found.append(
            "no treatment is an explicit negative action of the feedback policy: see "
            "`responsiveness.treatment_actions` and `feedback.actions`"
        )
    return found
