"""Which actions of the model's feedback policy the what-if page sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from serving.bundle import manifest


class ActionNames(NamedTuple):
    """The actions behind "watched", "like" and "not interested"."""

    base: str = "view"
    """What every item of a history got."""
    base_value: float | None = 1.0
    """The value that comes with it; None: absent."""
    like: str | None = "like"
    """The mark for a like; None where the policy has no stronger positive action."""
    dislike: str | None = "dislike"
    """The mark for a dislike; None where the policy has no negative action."""

    def mark(self, name: str) -> str | None:
        """Returns the action behind `like` or `dislike`."""
        return {"like": self.like, "dislike": self.dislike}.get(name)


def read(version_dir: str | Path) -> ActionNames:
    """Returns the names from the manifest beside a model; defaults without one.

    The base is the weakest positive action, the like the strongest, the dislike the
    strongest negative one. The base comes with the value that the simulation gives
    its control interaction where that is the same action, else with none: then the
    model was trained on a log without values.
    """
    config = manifest.read(version_dir).get("config", {})
    actions = config.get("feedback", {}).get("actions", {})
    return choose(actions, config.get("control_action"), config.get("control_value"))


def choose(
    actions: dict[str, dict[str, Any]],
    control_action: str | None = None,
    control_value: float | None = None,
) -> ActionNames:
    """Returns the names for a policy: action to `polarity` and `weight`."""
    positive = _by_weight(actions, "positive")
    negative = _by_weight(actions, "negative")
    if not positive:
        return ActionNames()
    base = positive[0]
    return ActionNames(
        base=base,
        base_value=control_value if base == control_action else None,
        like=positive[-1] if len(positive) > 1 else None,
        dislike=negative[-1] if negative else None,
    )


def _by_weight(actions: dict[str, dict[str, Any]], polarity: str) -> list[str]:
    chosen = [name for name, one in actions.items() if one.get("polarity") == polarity]
    return sorted(chosen, key=lambda name: (actions[name].get("weight", 1.0), name))
