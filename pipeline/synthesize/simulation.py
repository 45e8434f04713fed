"""Simulates users in groups and yields the rows of the log in its final order.

Rows are ordered by user, then time. Every user of a group passes as many exposures
as planned events; an exposure makes one row or two, so there are more rows than
planned, and the group's log is cut to the plan at one relative time for all of its
users. (A limit of rows for each user would end the histories of those who dislike
much earlier, and what follows a dislike would differ where it has no consequence.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesize import activity, avoidance, behaviour, draws, preferences
from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize.settings import SynthesisSettings

ACTIONS = ("view", "skip", "like", "dislike")
VIEW, SKIP, LIKE, DISLIKE = range(len(ACTIONS))
NO_ACTION = -1

# Planned events of a group. It belongs to the definition of the log: another value
# cuts other rows. Its arrays stay in the processor's cache, or close to it.
GROUP_EVENTS = 65_536
# Exposures that a user passes in one round. A long round resolves many dislikes of
# one user in sequence; a short one leaves little to do at once for a single user.
ROUND_STEPS = 256
# Exposures simulated at once, measured: 16 to 64 thousand are equally fast.
BLOCK_EXPOSURES = 32_768


@dataclasses.dataclass(frozen=True)
class Rows:
    """Event rows of a block; [n] each."""

    user: NDArray[np.int64]
    """int64 number of the user in the whole log."""
    item: NDArray[np.int32]
    timestamp_ms: NDArray[np.int64]
    action: NDArray[np.int8]
    """int8, an index of `ACTIONS`."""
    value: NDArray[np.float32]
    """float32 dwell fraction; NaN for likes and dislikes."""
    sequence: NDArray[np.int8]
    """int8, 0 for the first row of an exposure, 1 for the second."""
    averse_since_ms: NDArray[np.int64]
    """int64, for dislikes: when the user turned against the item."""

    @classmethod
    def concatenate(cls, blocks: list[Rows]) -> Rows:
        """Returns the rows of several blocks in order."""
        if len(blocks) == 1:
            return blocks[0]
        columns = zip(*(block._columns() for block in blocks), strict=True)
        return cls(*(np.concatenate(parts) for parts in columns))

    def __getitem__(self, rows: NDArray[np.bool_] | slice) -> Rows:
        """Returns the rows of a mask or of a slice."""
        return Rows(*(column[rows] for column in self._columns()))

    def _columns(self) -> tuple[NDArray[Any], ...]:
        # Not dataclasses.astuple: it copies every array.
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self))


def simulate(
    settings: SynthesisSettings,
    catalogue: catalogues.Catalogue,
    block_exposures: int = BLOCK_EXPOSURES,
) -> Iterator[Rows]:
    """Yields all rows of the log, group by group, `settings.events` in total.

    Args:
      settings: of the log.
      catalogue: built from them.
      block_exposures: exposures simulated at once; it has no influence on the rows.
    """
    counts = activity.events_per_user(settings)
    for first, last in _runs(counts, GROUP_EVENTS, settings.max_users_at_once):
        planned = counts[first:last]
        work = np.minimum(planned, ROUND_STEPS)
        blocks = [
            _simulate_block(settings, catalogue, first + start, planned[start:stop])
            for start, stop in _runs(work, block_exposures, planned.size)
        ]
        rows = Rows.concatenate([rows for rows, _ in blocks])
        moment = np.concatenate([moment for _, moment in blocks])
        kept = np.zeros(moment.size, bool)
        kept[np.argsort(moment, kind="stable")[: planned.sum()]] = True
        yield rows[kept]


def _runs(sizes: NDArray[np.int64], total: int, most: int) -> Iterator[tuple[int, int]]:
    """Yields runs of neighbours whose sizes sum to at most `total`, or single ones.

    Args:
      sizes: [n] positive integers.
      total: largest sum of a run of several.
      most: largest length of a run.
    """
    ends = np.cumsum(sizes)
    first = 0
    while first < sizes.size:
        before = ends[first] - sizes[first]
        last = int(np.searchsorted(ends, before + total, side="right"))
        last = max(first + 1, min(last, first + most))
        yield first, last
        first = last


def _simulate_block(
    settings: SynthesisSettings,
    catalogue: catalogues.Catalogue,
    first_user: int,
    planned: NDArray[np.int64],
) -> tuple[Rows, NDArray[np.float64]]:
    """Simulates users first_user, ..., each with as many exposures as planned events.

    Returns:
      The rows, ordered by user and time, and for each its moment: the share of the
      user's plan that has passed, or -1 for the first row of a user (never cut).
    """
    wanted = preferences.build_preferences(
        settings, catalogue, first_user, first_user + planned.size
    )
    world = behaviour.World(catalogue, wanted)
    memory = avoidance.Memory(settings, catalogue, planned.size)
    user = np.repeat(np.arange(planned.size), planned)
    step = _ranks(planned)
    exposures = behaviour.Exposures(
        user,
        step,
        activity.exposure_time_ms(settings, wanted.key[user], planned[user], step),
    )
    item = np.empty(user.size, np.int32)
    dwell = np.empty(user.size, np.float32)
    first = np.empty(user.size, np.int8)
    second = np.empty(user.size, np.int8)
    for places in _rounds(planned):
        part = exposures[places]
        item[places], disliked = avoidance.resolve(world, part, memory)
        reactions = world.reactions(part, item[places], disliked)
        dwell[places] = reactions.dwell
        first[places] = np.where(reactions.skipped, SKIP, VIEW)
        second[places] = np.select(
            [reactions.liked, disliked], [LIKE, DISLIKE], NO_ACTION
        )
    if settings.positives_only:
        dwell[:], first[:], second[:] = np.nan, LIKE, NO_ACTION

    disliked = second == DISLIKE
    averse_since = np.full(user.size, preferences.NEVER_MS)
    averse_since[disliked] = world.averse_since_ms(user[disliked], item[disliked])
    offset = draws.uniform(draws.draw(wanted.key, np.zeros(planned.size, np.int64)))
    moment = (step + offset[user]) / planned[user]

    width = 1 + (second != NO_ACTION)
    source, sequence = np.repeat(np.arange(user.size), width), _ranks(width)
    rows = Rows(
        user=user[source] + first_user,
        item=item[source],
        timestamp_ms=exposures.time_ms[source],
        action=np.where(sequence == 0, first[source], second[source]),
        value=np.where(sequence == 0, dwell[source], np.float32(np.nan)),
        sequence=sequence.astype(np.int8),
        averse_since_ms=averse_since[source],
    )
    never_cut = (step[source] == 0) & (sequence == 0)
    return rows, np.where(never_cut, -1.0, moment[source])


def _rounds(planned: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yields the places of the next `ROUND_STEPS` exposures of all users who go on."""
    starts = np.cumsum(planned) - planned
    for step in range(0, int(planned.max()), ROUND_STEPS):
        active = np.flatnonzero(planned > step)
        taken = np.minimum(planned[active] - step, ROUND_STEPS)
        yield np.repeat(starts[active] + step, taken) + _ranks(taken)


def _ranks(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns 0, ..., size - 1 for each size in turn.

    Example:
      >>> _ranks(np.array([2, 3]))
      array([0, 1, 0, 1, 2])
    """
    starts = np.cumsum(sizes) - sizes
    return np.arange(sizes.sum()) - np.repeat(starts, sizes)
