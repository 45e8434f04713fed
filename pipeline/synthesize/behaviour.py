"""One exposure: which items compete, which is chosen, and how the user reacts."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import draws, preferences

# Draws of a step are numbered (step, attempt): an exposure without any choice left
# is drawn again with other candidates.
MAX_ATTEMPTS = 64
SKIP_DWELL_MAX = 0.1
DISLIKE_DWELL_MAX = 0.6
# Taste moves reactions half as much as choices: chosen items are wanted anyway, and
# at full slope nearly all would be liked.
REACTION_SLOPE = 0.5


@dataclasses.dataclass(frozen=True)
class Exposures:
    """Moments at which users of a block are shown something; [n] each."""

    user: NDArray[np.int64]
    """int64 row of the block's preference tables, ascending."""
    step: NDArray[np.int64]
    """int64 number of the user's exposure, ascending within a user."""
    time_ms: NDArray[np.int64]

    def __getitem__(self, rows: NDArray[np.int64]) -> Exposures:
        """Returns the exposures at some rows."""
        return Exposures(self.user[rows], self.step[rows], self.time_ms[rows])


@dataclasses.dataclass(frozen=True)
class Candidates:
    """What competes in each exposure; [n, candidates] each."""

    item: NDArray[np.int32]
    score: NDArray[np.float32]
    """float32, taste plus Gumbel noise: the largest is chosen, which is a draw from the
    softmax of taste. -inf where the item does not exist yet."""


@dataclasses.dataclass(frozen=True)
class World:
    """The catalogue and the preferences of a block of users."""

    catalogue: catalogues.Catalogue
    preferences: preferences.Preferences

    def candidates(self, exposures: Exposures, attempt: int = 0) -> Candidates:
        """Returns candidates drawn by popularity, scored by taste."""
        settings = self.preferences.settings
        step_key = draws.draw(
            self.preferences.key[exposures.user] ^ draws.stream(0, "candidates"),
            exposures.step * MAX_ATTEMPTS + attempt,
        )
        bits = draws.draw(step_key[:, None], np.arange(settings.candidates)[None, :])
        # The noise uses the lowest 23 bits; slots (at most 2**41) the highest.
        shift = np.uint64(64 - (self.catalogue.slots.size - 1).bit_length())
        item = self.catalogue.slots.take((bits >> shift).view(np.int64))
        score = self.preferences.affinity(
            exposures.user,
            exposures.time_ms,
            self.catalogue.creator.take(item),
            self.catalogue.cluster.take(item),
        )
        score += draws.gumbel(bits)
        available = self.catalogue.available(exposures.time_ms)
        score[item >= available[:, None]] = -np.inf
        return Candidates(item, score)

    def draw_heeds(self, exposures: Exposures) -> NDArray[np.bool_]:
        """Returns where dislikes have their consequence, [n] bool."""
        share = self._uniform(exposures, "heed")
        return share < self.preferences.settings.avoidance

    def averse_since_ms(
        self, user: NDArray[np.int64], item: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Returns when users turn against items, by creator or cluster: [n] int64."""
        cluster = self.catalogue.cluster[item]
        return np.minimum(
            self.preferences.cluster_averse_since_ms[user, cluster],
            self.preferences.creator_averse_since_ms(
                user, self.catalogue.creator[item]
            ),
        )

    def dislikes(
        self, exposures: Exposures, item: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Returns whether each exposure to an item ends in a dislike, [n] bool."""
        if self.preferences.settings.positives_only:
            return np.zeros(item.shape, bool)
        averse = self.averse_since_ms(exposures.user, item) <= exposures.time_ms
        share = self._uniform(exposures, "dislike")
        return averse & (share < self.preferences.settings.dislike_propensity)

    def reactions(
        self, exposures: Exposures, item: NDArray[np.int32], disliked: NDArray[np.bool_]
    ) -> Reactions:
        """Returns what users do with the items they are shown, given the dislikes."""
        settings = self.preferences.settings
        affinity = self.preferences.affinity(
            exposures.user,
            exposures.time_ms,
            self.catalogue.creator[item][:, None],
            self.catalogue.cluster[item][:, None],
        )[:, 0]
        pull = affinity.astype(np.float64) * REACTION_SLOPE
        skip = _sigmoid(_logit(settings.skip_propensity) - pull)
        like = _sigmoid(_logit(settings.like_propensity) + pull)
        skipped = ~disliked & (self._uniform(exposures, "skip") < skip)
        liked = ~disliked & ~skipped & (self._uniform(exposures, "like") < like)
        share = self._uniform(exposures, "dwell")
        # A logistic draw, shifted by taste and squeezed into (0, 1).
        watched = _sigmoid(_logit(np.clip(share, 1e-9, 1 - 1e-9)) + pull)
        dwell = SKIP_DWELL_MAX + (1 - SKIP_DWELL_MAX) * watched
        dwell = np.where(disliked, DISLIKE_DWELL_MAX * share, dwell)
        dwell = np.where(skipped, SKIP_DWELL_MAX * share, dwell)
        return Reactions(skipped, liked, disliked, dwell.astype(np.float32))

    def _uniform(self, exposures: Exposures, purpose: str) -> NDArray[np.float64]:
        key = self.preferences.key[exposures.user] ^ draws.stream(0, purpose)
        return draws.uniform(draws.draw(key, exposures.step))


@dataclasses.dataclass(frozen=True)
class Reactions:
    """What became of each exposure; [n] each, bool but for `dwell` (float32, [0, 1]).

    An exposure is a skip, or a view that may bring a like or a dislike.
    """

    skipped: NDArray[np.bool_]
    liked: NDArray[np.bool_]
    disliked: NDArray[np.bool_]
    dwell: NDArray[np.float32]


def _logit(share: float | NDArray[np.float64]) -> NDArray[np.float64]:
    logit: NDArray[np.float64] = np.log(share) - np.log1p(-np.asarray(share))
    return logit


def _sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-logit))
    return share
