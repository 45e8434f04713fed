"""What a dislike does to later exposures, resolved for many exposures at once.

Only a dislike changes what a user is shown later, and dislikes are rare. So all
exposures of a round are chosen at once as if nothing more were disliked; then, wave
by wave, the first unsettled dislike of every user is remembered, and only those later
exposures that it touches choose anew. The outcome equals going step by step, without
a Python step for each exposure: a user with 100 thousand events costs no more than a
thousand users with a hundred.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesize import behaviour
from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize.settings import SynthesisSettings
from schema import errors

NOTHING = -1


class Memory:
    """The latest dislikes of each user of a block."""

    def __init__(
        self, settings: SynthesisSettings, catalogue: catalogues.Catalogue, users: int
    ) -> None:
        self._catalogue = catalogue
        self._kinds = settings.resemblance
        shape = (users, settings.remembered_dislikes)
        self._creator = np.full(shape, NOTHING, np.int32)
        self._cluster = np.full(shape, NOTHING, np.int32)
        self._count = np.zeros(users, np.int64)

    def remember(
        self, user: NDArray[np.int64], item: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Adds one disliked item each of distinct users.

        Returns:
          [n] bool, whether the user had to forget an older dislike for it.
        """
        place = self._count[user] % self._creator.shape[1]
        self._creator[user, place] = self._catalogue.creator[item]
        self._cluster[user, place] = self._catalogue.cluster[item]
        self._count[user] += 1
        return self._count[user] > self._creator.shape[1]

    def resembles(
        self, user: NDArray[np.int64], item: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Returns whether items resemble what their users remember disliking.

        Args:
          user: [n] rows of the block.
          item: [n] or [n, m].

        Returns:
          The shape of `item`, bool.
        """
        alike = np.zeros(item.shape, bool)
        columns = (slice(None), *([None] * (item.ndim - 1)))
        creator = self._catalogue.creator.take(item)
        cluster = self._catalogue.cluster.take(item)
        for place in range(min(self._creator.shape[1], int(self._count.max()))):
            if "creator" in self._kinds:
                alike |= creator == self._creator[user, place][columns]
            if "cluster" in self._kinds:
                alike |= cluster == self._cluster[user, place][columns]
        return alike


def resolve(
    world: behaviour.World, exposures: behaviour.Exposures, memory: Memory
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Chooses an item for each exposure, in the order of each user's steps.

    Args:
      world: the catalogue and the users' preferences.
      exposures: [n], ordered by user, then step.
      memory: dislikes before these exposures; those among them are added.

    Returns:
      The chosen item [n] int32, and whether it is disliked [n] bool.
    """
    candidates = world.candidates(exposures)
    heeds = world.draw_heeds(exposures)
    everything = np.arange(exposures.user.size)
    best = candidates.score.argmax(axis=1)
    chosen = candidates.item[everything, best]
    nothing = np.isneginf(candidates.score[everything, best])
    avoided = heeds & memory.resembles(exposures.user, chosen)
    again = np.flatnonzero(nothing | avoided)
    chosen[again] = _choose(world, exposures, candidates, heeds, memory, again)
    disliked = world.dislikes(exposures, chosen)

    # Exposures after the last settled dislike, of users who have an unsettled one.
    rows = everything
    while (first := _first_per_user(exposures.user, rows[disliked[rows]])).size:
        user = exposures.user[first]
        forgot = memory.remember(user, chosen[first])
        # The user's place among those who settle one, for each exposure.
        place = np.searchsorted(user, exposures.user[rows]).clip(max=user.size - 1)
        later = (user[place] == exposures.user[rows]) & (rows > first[place])
        rows, place = rows[later], place[later]
        # A choice stands while avoidance only grows around it; where an old dislike
        # was forgotten, a better candidate may be back.
        alike = memory.resembles(exposures.user[rows], chosen[rows])
        again = rows[heeds[rows] & (alike | forgot[place])]
        chosen[again] = _choose(world, exposures, candidates, heeds, memory, again)
        disliked[again] = world.dislikes(exposures[again], chosen[again])
    return chosen, disliked


def _first_per_user(
    user: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the first of some ascending rows for each user who has any."""
    owner = user[rows]
    return rows[np.flatnonzero(np.diff(owner, prepend=-1))]


def _choose(
    world: behaviour.World,
    exposures: behaviour.Exposures,
    candidates: behaviour.Candidates,
    heeds: NDArray[np.bool_],
    memory: Memory,
    rows: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Returns the best candidate of some rows that exists and is not avoided."""
    chosen = np.empty(rows.size, np.int32)
    todo = np.arange(rows.size)
    item, score = candidates.item[rows], candidates.score[rows]
    for attempt in range(1, behaviour.MAX_ATTEMPTS + 1):
        heeding = np.flatnonzero(heeds[rows[todo]])
        user = exposures.user[rows[todo[heeding]]]
        avoided = memory.resembles(user, item[heeding])
        score[heeding] = np.where(avoided, -np.inf, score[heeding])
        best = score.argmax(axis=1)
        chosen[todo] = item[np.arange(todo.size), best]
        todo = todo[np.isneginf(score[np.arange(todo.size), best])]
        if todo.size == 0:
            return chosen
        if attempt < behaviour.MAX_ATTEMPTS:
            drawn = world.candidates(exposures[rows[todo]], attempt)
            item, score = drawn.item, drawn.score
    raise errors.InputError(
        f"{todo.size} exposures found nothing that exists and does not resemble a "
        f"dislike among {behaviour.MAX_ATTEMPTS} draws of candidates; raise "
        "`clusters`, `items` or `candidates`, or lower `remembered_dislikes`"
    )
