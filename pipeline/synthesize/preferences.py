"""What users want: drifting tastes, favourite creators, aversions that lie dormant.

Aversions are drawn independently of tastes. A user may turn against a favourite
cluster, so nothing that was liked before gives it away: only the dislike does, and a
model has to read dislikes to know. The independence also makes the null exact: where
dislikes have no consequence, what follows a dislike is distributed as what follows
any other exposure.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import draws
from pipeline.synthesize.settings import SynthesisSettings

NEVER_MS = np.iinfo(np.int64).max


@dataclasses.dataclass(frozen=True)
class Preferences:
    """Preferences of a block of users; a row of each table is a user."""

    settings: SynthesisSettings
    key: NDArray[np.uint64]
    """[users] uint64, from which all draws of the user derive."""
    taste_start: NDArray[np.float32]
    """[users, content clusters] float32 logits at the log's start."""
    taste_turned: NDArray[np.float32]
    """The same shape: what tastes have turned to after a right angle."""
    favourites: NDArray[np.int32]
    """[users, favourite_creators] int32; one may occur twice."""
    cluster_averse_since_ms: NDArray[np.int64]
    """[users, content clusters] int64, `NEVER_MS` if never."""

    def angle(self, time_ms: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns how far tastes have turned: float32 in [0, drift * pi / 2]."""
        elapsed = (time_ms - self.settings.start_time_ms) / self.settings.span_ms
        return (elapsed * (self.settings.drift * np.pi / 2)).astype(np.float32)

    def taste_at(self, time_ms: int) -> NDArray[np.float32]:
        """Returns the logits of all users over content clusters at one time."""
        angle = self.angle(np.array([time_ms]))
        return np.cos(angle) * self.taste_start + np.sin(angle) * self.taste_turned

    def affinity(
        self,
        user: NDArray[np.int64],
        time_ms: NDArray[np.int64],
        creator: NDArray[np.int32],
        cluster: NDArray[np.int32],
    ) -> NDArray[np.float32]:
        """Returns how much users want items: taste plus bonus of a favourite.

        Turning keeps the spread of the logits: both ends are independent and as wide.

        Args:
          user: [n] rows of the tables.
          time_ms: [n] int64.
          creator: [n, m] of the items.
          cluster: [n, m] content clusters of the items.

        Returns:
          [n, m] float32 logits.
        """
        cell = user[:, None] * self.taste_start.shape[1] + cluster
        logits = self.taste_start.ravel().take(cell)
        if self.settings.drift > 0:
            angle = self.angle(time_ms)
            logits *= np.cos(angle)[:, None]
            logits += self.taste_turned.ravel().take(cell) * np.sin(angle)[:, None]
        preferred = np.zeros(creator.shape, bool)
        for column in range(self.favourites.shape[1]):
            preferred |= creator == self.favourites[user, column][:, None]
        logits += preferred * np.float32(self.settings.favourite_bonus)
        return logits

    def creator_averse_since_ms(
        self, user: NDArray[np.int64], creator: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Returns when users turn against creators: [n] int64, `NEVER_MS` if never.

        Pairs of user and creator are too many to store, hence hashed.
        """
        return _averse_since(
            self.settings,
            _pair_draw(self.key[user], creator, "creator"),
            self.settings.creator_aversion_share,
        )


def build_preferences(
    settings: SynthesisSettings, catalogue: catalogues.Catalogue, first: int, last: int
) -> Preferences:
    """Returns the preferences of users first, ..., last - 1."""
    key = draws.draw(draws.stream(settings.seed, "user"), np.arange(first, last))
    cluster = np.arange(settings.num_content_clusters)[None, :]
    favourite = draws.draw(
        key[:, None] ^ draws.stream(0, "favourite"),
        np.arange(settings.favourite_creators)[None, :],
    )
    item = catalogue.slots[favourite & np.uint64(catalogue.slots.size - 1)]
    return Preferences(
        settings=settings,
        key=key,
        taste_start=_tastes(settings, key, "taste/start"),
        taste_turned=_tastes(settings, key, "taste/turned"),
        favourites=catalogue.creator[item],
        cluster_averse_since_ms=_averse_since(
            settings,
            _pair_draw(key[:, None], cluster, "cluster"),
            settings.cluster_aversion_share,
        ),
    )


def _tastes(
    settings: SynthesisSettings, key: NDArray[np.uint64], purpose: str
) -> NDArray[np.float32]:
    category = np.arange(settings.clusters)[None, :]
    bits = draws.draw(key[:, None] ^ draws.stream(0, purpose), category)
    logits = draws.normal(bits) * np.float32(settings.taste_spread)
    if settings.num_content_clusters == settings.clusters:
        return logits
    # A pair is wanted as its two categories together; the root keeps the spread.
    pairs = (logits + np.roll(logits, -1, axis=1)) / np.float32(np.sqrt(2.0))
    return np.concatenate([logits, pairs], axis=1)


def _pair_draw(
    key: NDArray[np.uint64], thing: NDArray[np.integer[Any]], kind: str
) -> NDArray[np.uint64]:
    return draws.draw(key ^ draws.stream(0, f"aversion/{kind}"), thing)


def _averse_since(
    settings: SynthesisSettings, bits: NDArray[np.uint64], share: float
) -> NDArray[np.int64]:
    averse = (bits >> np.uint64(32)) * 2.0**-32 < share
    moment = (bits & np.uint64(0xFFFFFFFF)) * 2.0**-32 * settings.span_ms
    since = settings.start_time_ms + moment.astype(np.int64)
    return np.where(averse, since, NEVER_MS)
