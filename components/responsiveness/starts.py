"""Where simulations start: users' real histories from the train split."""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
from collections import Counter
from collections.abc import Sequence

import numpy as np

from components.held_out import Window, read_windows
from schema import errors, features, settings


@dataclasses.dataclass(frozen=True)
class TrainingLog:
    """What the simulation needs of the train split."""

    windows: tuple[Window, ...]
    """The last window of each chosen user, ordered by user."""
    pairs: tuple[tuple[bytes, bytes], ...]
    """(user_id, item_id) of every label."""
    action_counts: dict[str, int]
    """How often each action was seen."""
    set_counts: dict[bytes, int] = dataclasses.field(default_factory=dict)
    """How often each action set was, as it is joined."""

    def stating(self, action: str) -> bytes:
        """Returns the most frequent action set with an action; itself if none is."""
        found = {
            joined: count
            for joined, count in self.set_counts.items()
            if action in joined.decode().split(features.ACTION_SEPARATOR)
        }
        return max(sorted(found), key=lambda j: found[j], default=action.encode())

    @property
    def item_counts(self) -> dict[bytes, int]:
        """Returns the labels of each item."""
        return Counter(item for _, item in self.pairs)

    @property
    def user_counts(self) -> dict[bytes, int]:
        """Returns the labels of each user: how active the user is."""
        return Counter(user for user, _ in self.pairs)


def read(files: Sequence[str], number: int, seed: int) -> TrainingLog:
    """Returns up to `number` users' last windows, and all (user, item) pairs.

    Users are chosen by a hash of their id, so that the choice does not depend on file
    order; memory holds no more than the chosen windows.

    Raises:
      InputError: there is no history.
    """
    chosen: dict[bytes, Window] = {}
    heap: list[tuple[int, bytes]] = []
    pairs: list[tuple[bytes, bytes]] = []
    actions: Counter[bytes] = Counter()
    salt = (seed % 2**64).to_bytes(8, "little")
    for window in read_windows(files):
        labels = window.item_id[window.is_label].tolist()
        pairs += [(window.user_id, item) for item in labels]
        actions.update(window.action[window.is_label].tolist())
        user = window.user_id
        if not len(window.item_id):
            continue
        if user in chosen:
            if window.timestamp[-1] >= chosen[user].timestamp[-1]:
                chosen[user] = window
            continue
        digest = hashlib.blake2b(user, digest_size=8, salt=salt)
        # The heap's top is the largest key kept: the first to go.
        key = -int.from_bytes(digest.digest(), "little")
        if len(heap) < number:
            heapq.heappush(heap, (key, user))
            chosen[user] = window
        elif key > heap[0][0]:
            _, removed = heapq.heapreplace(heap, (key, user))
            del chosen[removed]
            chosen[user] = window
    if not chosen:
        raise errors.InputError("the train split holds no history to start from")
    counts: Counter[str] = Counter()
    for joined, count in actions.items():
        for name in joined.decode().split(features.ACTION_SEPARATOR):
            counts[name] += count
    windows = tuple(chosen[user] for user in sorted(chosen))
    return TrainingLog(windows, tuple(pairs), dict(counts), dict(actions))


def read_pairs(files: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Returns (user_id, item_id) of every label of a split."""
    return [
        (window.user_id, item)
        for window in read_windows(files)
        for item in window.item_id[window.is_label].tolist()
    ]


def with_room(
    windows: Sequence[Window],
    num_candidates: int,
    policy: settings.ResponsivenessSettings,
) -> list[Window]:
    """Returns the windows that leave the recommender something to show at every step.

    Args:
      windows: real histories.
      num_candidates: size of the catalogue.
      policy: the section.

    Raises:
      InputError: no window does.
    """
    steps = policy.trajectory_length + max(policy.decay_steps, *policy.doses)
    room = num_candidates - steps - policy.slate_size
    kept = [
        window
        for window in windows
        if len(set(cut(window, policy.start_share).item_id.tolist())) <= room
        and len(set(window.item_id.tolist())) <= num_candidates - policy.slate_size
    ]
    if not kept:
        raise errors.InputError(
            f"every one of {len(windows)} users would meet the whole catalogue of "
            f"{num_candidates} candidates within `responsiveness.trajectory_length` = "
            f"{policy.trajectory_length} steps; lower it, or "
            "`responsiveness.start_share`"
        )
    return kept


def events_with_room(
    drawn: Sequence[Window],
    num_candidates: int,
    policy: settings.ResponsivenessSettings,
) -> tuple[int, ...]:
    """Returns those of `persistence_events` that the catalogue has candidates for.

    Args:
      drawn: the start of each simulation.
      num_candidates: size of the catalogue.
      policy: the section.
    """
    longest = max(len(set(start.item_id.tolist())) for start in drawn)
    room = num_candidates - longest - policy.trajectory_length - policy.slate_size
    return tuple(n for n in policy.persistence_events if n <= room)


def cut(window: Window, share: float) -> Window:
    """Returns the first `share` of a history, at least one element."""
    return first(window, max(1, round(len(window.item_id) * share)))


def first(window: Window, length: int) -> Window:
    """Returns the first elements of a history, all where it has no more."""
    return Window(
        window.user_id,
        item_id=window.item_id[:length],
        timestamp=window.timestamp[:length],
        action=window.action[:length],
        value=window.value[:length],
        is_label=window.is_label[:length],
    )


def sample(
    windows: Sequence[Window],
    policy: settings.ResponsivenessSettings,
    rng: np.random.Generator,
) -> list[Window]:
    """Returns one start for each simulation, cut at `start_share`.

    Users are drawn without replacement as long as there are enough of them.
    """
    drawn: list[int] = []
    while len(drawn) < policy.simulations:
        drawn += rng.permutation(len(windows)).tolist()
    return [cut(windows[i], policy.start_share) for i in drawn[: policy.simulations]]
