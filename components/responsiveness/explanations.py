"""Why something was not measured, and what to know of what was."""

from __future__ import annotations

from collections.abc import Sequence

from components.held_out import Window
from components.responsiveness import effect, similarity, starts
from components.responsiveness.config import SimulationConfig
from schema import reports, settings


def measurable(
    policy: settings.ResponsivenessSettings, feedback: settings.FeedbackSettings
) -> list[str]:
    """Returns the treatments that the feedback policy knows, without the control."""
    return [
        action
        for action in policy.treatment_actions
        if action in feedback.actions and action != policy.control_action
    ]


def explicit(actions: Sequence[str], feedback: settings.FeedbackSettings) -> list[str]:
    """Returns the actions that are explicit and negative."""
    negative = feedback.negative_names()
    return [a for a in actions if feedback.actions[a].explicit and a in negative]


def unmeasured(
    config: SimulationConfig,
    similarities: Sequence[similarity.Similarity],
    reason: str = "",
) -> dict[str, dict[str, reports.Effect]]:
    """Returns every similarity and action without a figure, and why."""
    policy = config.responsiveness
    why = dict.fromkeys(policy.treatment_actions, reason)
    for action in policy.treatment_actions:
        if action not in config.feedback.actions:
            why[action] = f"the feedback policy has no action {action!r}"
        elif action == policy.control_action:
            why[action] = f"{action!r} is the control action itself"
    return {
        by.name: {
            action: effect.no_answer(found or by.reason or "nothing was simulated")
            for action, found in why.items()
        }
        for by in similarities
    }


def warnings(
    policy: settings.ResponsivenessSettings,
    log: starts.TrainingLog,
    windows: Sequence[Window],
    explicit_actions: Sequence[str],
) -> list[str]:
    """Returns what a reader must know of the figures, as sentences.

    Args:
      policy: the section.
      log: the train split.
      windows: the users that are simulated.
      explicit_actions: treatments that are explicit and negative.
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
        for action in explicit_actions
        if not log.action_counts.get(action)
    ]
    if not explicit_actions:
        found.append(
            "no treatment is an explicit negative action of the feedback policy: see "
            "`responsiveness.treatment_actions` and `feedback.actions`"
        )
    return found
