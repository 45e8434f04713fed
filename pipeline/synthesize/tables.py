"""Arrow tables of the log, the catalogue and the ground truth, with names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import preferences, simulation
from pipeline.synthesize.settings import SynthesisSettings

USERS_PER_GROUP = 16_384

EVENTS = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("timestamp", pa.int64(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("value", pa.float32()),
        pa.field("sequence", pa.int64(), nullable=False),
    ]
)
DISLIKES = pa.schema(
    [
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("timestamp", pa.int64(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("creator_id", pa.string(), nullable=False),
        pa.field("cluster", pa.string(), nullable=False),
        pa.field("averse_since", pa.int64(), nullable=False),
    ]
)


class Names:
    """Names of users, items, creators and content clusters."""

    def __init__(self, settings: SynthesisSettings) -> None:
        self._user_width = len(str(settings.users - 1))
        self.item = pa.array(_numbered("item", settings.items))
        self.creator = pa.array(_numbered("creator", settings.num_creators))
        self.categories = [
            catalogues.categories(cluster, settings.clusters)
            for cluster in range(settings.num_content_clusters)
        ]
        self.cluster = pa.array(["|".join(names) for names in self.categories])
        self.action = pa.array(simulation.ACTIONS)

    def users(self, first: int, last: int) -> pa.Array:
        """Returns the names of users first, ..., last - 1."""
        return pa.array([f"user_{n:0{self._user_width}d}" for n in range(first, last)])

    def of_users(self, user: NDArray[np.int64]) -> pa.Array:
        """Returns the names of ascending user numbers."""
        if user.size == 0:
            return _pick(user, self.users(0, 1))
        first = int(user[0])
        return _pick(user - first, self.users(first, int(user[-1]) + 1))


def events(names: Names, rows: simulation.Rows) -> pa.Table:
    """Returns event rows as a table."""
    return pa.table(
        [
            names.of_users(rows.user),
            _pick(rows.item, names.item),
            pa.array(rows.timestamp_ms),
            _pick(rows.action, names.action),
            pa.array(rows.value, from_pandas=True),
            pa.array(rows.sequence.astype(np.int64)),
        ],
        EVENTS,
    )


def dislikes(
    names: Names, catalogue: catalogues.Catalogue, rows: simulation.Rows
) -> pa.Table:
    """Returns the dislikes among event rows, with what was disliked and since when."""
    rows = rows[rows.action == simulation.DISLIKE]
    return pa.table(
        [
            names.of_users(rows.user),
            pa.array(rows.timestamp_ms),
            _pick(rows.item, names.item),
            _pick(catalogue.creator[rows.item], names.creator),
            _pick(catalogue.cluster[rows.item], names.cluster),
            pa.array(rows.averse_since_ms),
        ],
        DISLIKES,
    )


def items(names: Names, catalogue: catalogues.Catalogue) -> pa.Table:
    """Returns the canonical catalogue."""
    number = np.arange(catalogue.creator.size)
    titles = [
        f"{' and '.join(names.categories[cluster])}, number {n}"
        for n, cluster in zip(number.tolist(), catalogue.cluster.tolist(), strict=True)
    ]
    return pa.table(
        {
            "item_id": names.item,
            "creator_id": _pick(catalogue.creator, names.creator),
            "categories": pa.array(names.categories, pa.list_(pa.string())).take(
                pa.array(catalogue.cluster)
            ),
            "title": pa.array(titles),
            "created_at": pa.array(catalogue.created_at_ms),
        }
    )


def true_items(names: Names, catalogue: catalogues.Catalogue) -> pa.Table:
    """Returns the ground truth of items: content cluster and popularity."""
    return pa.table(
        {
            "item_id": names.item,
            "creator_id": _pick(catalogue.creator, names.creator),
            "cluster": _pick(catalogue.cluster, names.cluster),
            "popularity": pa.array(catalogue.popularity),
        }
    )


def true_users(
    settings: SynthesisSettings, names: Names, catalogue: catalogues.Catalogue
) -> Iterator[pa.Table]:
    """Yields the ground truth of users, a row group at a time.

    `taste_start` and `taste_end` are logits over the content clusters in the order of
    `names.cluster`; `averse_clusters` and `averse_since` run in parallel.
    """
    size = min(USERS_PER_GROUP, settings.max_users_at_once)
    for first in range(0, settings.users, size):
        last = min(first + size, settings.users)
        wanted = preferences.build_preferences(settings, catalogue, first, last)
        since = wanted.cluster_averse_since_ms
        averse = since != preferences.NEVER_MS
        sizes = averse.sum(axis=1)
        end_ms = settings.start_time_ms + settings.span_ms
        yield pa.table(
            {
                "user_id": names.users(first, last),
                "taste_start": _rows_as_lists(wanted.taste_start),
                "taste_end": _rows_as_lists(wanted.taste_at(end_ms)),
                "favourite_creators": _lists(
                    np.full(last - first, settings.favourite_creators),
                    names.creator.take(pa.array(wanted.favourites.ravel())),
                ),
                "averse_clusters": _lists(
                    sizes, names.cluster.take(pa.array(np.nonzero(averse)[1]))
                ),
                "averse_since": _lists(sizes, pa.array(since[averse])),
            }
        )


def _numbered(kind: str, count: int) -> list[str]:
    width = len(str(count - 1))
    return [f"{kind}_{number:0{width}d}" for number in range(count)]


def _pick(number: NDArray[np.integer[Any]], names: pa.Array) -> pa.StringArray:
    return names.take(pa.array(number))


def _lists(sizes: NDArray[np.int64], values: pa.Array) -> pa.ListArray:
    offsets = np.r_[0, np.cumsum(sizes)].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _rows_as_lists(table: NDArray[np.float32]) -> pa.ListArray:
    return _lists(np.full(len(table), table.shape[1]), pa.array(table.ravel()))
