"""Models in numpy over the items of `planted_towers`, sound or with one fault.

The sound one shows what a user's kinds of items are, what is popular, and a taste of
the user's own; what shares a kind or, more so, a set with a dislike falls, and a
dislike fades over some twenty elements and a month. A fault is a function that changes
how a `Reading` of histories goes on.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.components.planted_towers import CLUSTER, IDS, NUM_CLUSTERS, NUM_ITEMS, SET

ROW = {item: row for row, item in enumerate(IDS)}
KINDS = np.eye(NUM_CLUSTERS)[CLUSTER]
SETS = np.eye(SET.max() + 1)[SET]
MONTH_MS = 30 * 86_400_000


@dataclasses.dataclass
class Reading:
    """Histories as a model reads them; rows are users, columns elements."""

    row: np.ndarray
    """[users, length] int64 items, -1 pads."""
    action: np.ndarray
    """[users, length] object (bytes)."""
    time: np.ndarray
    """[users, length] int64 milliseconds."""
    value: np.ndarray
    """[users, length] float32."""
    heard: np.ndarray
    """[users, length] float64 how much an element counts as disliked."""
    weight: np.ndarray
    """[users, length] float64 how much an element counts as liked."""
    extra: np.ndarray
    """[users, items] float64 added to the scores."""
    popular: np.ndarray
    """[items] float64 in [0, 1]."""
    of_kind: float = 1.5
    of_set: float = 4.0

    @property
    def there(self):
        """[users, length] which elements are no pads."""
        return self.row >= 0

    @property
    def length(self):
        """[users, 1] elements."""
        return self.there.sum(axis=1, keepdims=True)

    @property
    def is_last(self):
        """[users, length]."""
        return np.arange(self.row.shape[1])[None, :] == self.length - 1

    @property
    def stated(self):
        """[users, length] which elements hold a dislike."""
        return self.having(b"dislike")

    def having(self, action):
        """[users, length] which elements hold an action."""
        return np.array([[action in a.split(b"|") for a in row] for row in self.action])


class Model:
    """Answers as `behaviour.Recommend` does."""

    def __init__(self, popular, seed, fault=None, fit=True):
        """Makes a model.

        Args:
          popular: [items] float64 in [0, 1].
          seed: of the tastes.
          fault: changes a `Reading`; None: the sound model.
          fit: False: it has learnt nothing, and its answer is built in.
        """
        rng = np.random.default_rng([seed, 7])
        self.taste = rng.normal(size=(NUM_ITEMS, NUM_ITEMS))
        self.popular, self.fault, self.fit = popular, fault, fit

    def __call__(self, item_id, action, timestamp, value, k):
        """Returns [users, k] item ids."""
        row = np.array([[ROW.get(i, -1) for i in items] for items in item_id])
        users = len(row)
        read = Reading(
            row.reshape(users, -1), action, timestamp, value, 0, 0,
            np.zeros((users, NUM_ITEMS)), self.popular,
        )  # fmt: skip
        there = read.there
        read.heard = (read.stated & there).astype(float)
        read.weight = (~read.stated & there).astype(float)
        if self.fault is not None:
            self.fault(read)
        later = np.maximum(read.length - 1 - np.arange(row.shape[1])[None, :], 0)
        newest = timestamp.max(axis=1, initial=0)[:, None]
        fade = 0.5 ** (later / 20.0) * 0.5 ** ((newest - timestamp) / MONTH_MS)
        score = self._taste(read) - self._hate(read, read.heard * fade * there)
        score += read.extra
        np.put_along_axis(score, np.where(there, row, row[:, :1]), -np.inf, axis=1)
        best = np.argsort(-score, axis=1, kind="stable")[:, :k]
        return np.array(IDS, object)[best]

    def _taste(self, read):
        score = self.taste[np.maximum(read.row[:, 0], 0)] + 0.3 * self.popular
        if not self.fit:
            return score
        total = np.maximum(read.weight.sum(axis=1, keepdims=True), 1e-9)
        # One element counts less than many: the first view does not fill a slate.
        share = read.weight / (total + 1.0)
        return score + 5.0 * _of_items(read, share) @ KINDS @ KINDS.T

    def _hate(self, read, heard):
        of_item = _of_items(read, heard)
        kind, of_set = of_item @ KINDS @ KINDS.T, of_item @ SETS @ SETS.T
        return read.of_kind * kind + read.of_set * of_set


def _of_items(read, weight):
    """Returns [users, items] the sum of weights of each item's elements."""
    users = len(read.row)
    place = np.arange(users)[:, None] * NUM_ITEMS + np.maximum(read.row, 0)
    count = np.bincount(place.ravel(), (weight * read.there).ravel(), users * NUM_ITEMS)
    return count.reshape(users, NUM_ITEMS)


# --- faults: each keeps part of the answer that some figure looks at -----------------


def deaf(read):
    read.weight[read.stated] = 1.0
    read.heard[:] = 0.0


def hidden(read):
    read.heard[:] = 0.0


def exchanged(read):
    read.heard *= -1.0


def pulls(read):
    read.weight[read.stated] = 6.0
    read.heard *= 0.4


def sets_alone(read):
    read.weight[read.stated] = 4.0
    read.of_kind = 0.0


def weak(read):
    read.heard *= 0.004


def resents_anything(read):
    read.heard = np.maximum(read.heard, 1.0 * read.is_last)


def resents_views(read):
    read.heard = np.maximum(read.heard, 1.0 * (read.having(b"view") & read.there))


def last_alone(read):
    read.heard *= read.is_last


def next_event_makes_it_a_like(read):
    read.weight[read.stated & ~read.is_last] = 3.0
    read.heard *= read.is_last


def turns_after_seven_events(read):
    """A dislike becomes a strong like, once the gate no longer asks for an answer."""
    later = read.length - 1 - np.arange(read.row.shape[1])[None, :]
    read.weight[read.stated & (later > 7)] = 6.0
    read.heard *= later <= 7


def forgets_overnight(read):
    newest = read.time.max(axis=1, keepdims=True)
    read.heard *= newest - read.time < 43_200_000


def one_gap_alone(read):
    gap = np.diff(read.time, axis=1, prepend=0)
    read.heard *= gap == 60_000


def long_histories_alone(read):
    read.heard *= read.length >= 11


def joined_actions_alone(read):
    read.heard *= read.having(b"view")


def full_values_alone(read):
    read.heard *= read.value == 1.0


def until_a_date(read):
    read.heard *= read.time < 1_700_000_000_000 + 7 * 86_400_000


def first_dislike_alone(read):
    read.heard *= np.cumsum(read.stated, axis=1) <= 1


def shuffles(read):
    read.heard[:] = 0.0
    for user in np.flatnonzero((read.stated & read.there).any(axis=1)):
        seed = [int(r) + 1 for r in read.row[user]]
        read.extra[user] = 100.0 * np.random.default_rng(seed).random(NUM_ITEMS)


def pushes_what_is_popular(read):
    hates = (read.stated & read.there).any(axis=1)
    read.extra += 100.0 * read.popular * hates[:, None]


def popular_items_alone(read):
    read.heard *= (read.popular > np.median(read.popular))[np.maximum(read.row, 0)]


def rare_items_alone(read):
    read.heard *= (read.popular <= np.median(read.popular))[np.maximum(read.row, 0)]


def some_kinds_alone(read):
    read.heard *= (CLUSTER < NUM_CLUSTERS // 2)[np.maximum(read.row, 0)]


def odd_lengths_alone(read):
    read.heard *= read.length % 2 == 1


def half_of_the_users_alone(read):
    read.heard *= read.row[:, :1] % 2 == 0


def collapses(read):
    _favour(read, 100.0)


def leans_to_a_favourite(read):
    _favour(read, 4.0)


def _favour(read, amount):
    """Any dislike brings in more of the category set that the user likes most."""
    hates = (read.stated & read.there).any(axis=1)
    liked = _of_items(read, read.weight) @ SETS
    disliked = _of_items(read, read.stated.astype(float)) @ SETS
    favourite = np.argmax(liked - 100.0 * disliked, axis=1)
    read.extra += amount * hates[:, None] * SETS.T[favourite]


def by_vocabulary_alone(read):
    """What stands near the item in the vocabulary falls, which is of other kinds."""
    for step in (*range(-NUM_CLUSTERS + 1, 0), *range(1, NUM_CLUSTERS)):
        user, element = np.nonzero(read.heard)
        beside = (read.row[user, element] + step) % NUM_ITEMS
        np.add.at(read.extra, (user, beside), -9.0)
    read.heard[:] = 0.0
