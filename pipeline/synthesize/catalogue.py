"""The items: who made them, what they are about, how popular, since when."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesize import draws
from pipeline.synthesize.settings import DAY_MS, SynthesisSettings

OLDEST_ITEM_MS = 365 * DAY_MS
# Items per slot decide how finely popularity is rounded: at 16 slots an item the
# least popular one of a million (Zipf 1) still gets one.
SLOTS_PER_ITEM = 16
MIN_SLOTS = 2**16
# Items stop appearing before the end, so that each has time to be seen: users leave
# at about 0.85 of their plan, likes and dislikes having used up the rest.
LAST_CREATION = 0.8


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """Items in order of creation: those that exist at any time are a prefix."""

    creator: NDArray[np.int32]
    """[items] int32."""
    cluster: NDArray[np.int32]
    """[items] int32, content cluster (a category set)."""
    created_at_ms: NDArray[np.int64]
    """[items] int64, ascending."""
    popularity: NDArray[np.float64]
    """[items] float64, sums to 1."""
    slots: NDArray[np.int32]
    """[power of two] int32; an item fills a share of the slots equal to its popularity,
    so that a draw by popularity is one look-up."""

    def available(self, time_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns how many items exist at each time: items below it are available."""
        return np.searchsorted(self.created_at_ms, time_ms, side="right")


def build_catalogue(settings: SynthesisSettings) -> Catalogue:
    """Returns the catalogue that the settings and their seed determine."""
    popularity = _popularity(settings)
    creator, cluster = _creators_and_clusters(settings)
    return Catalogue(
        creator=creator,
        cluster=cluster,
        created_at_ms=_created_at(settings),
        popularity=popularity,
        slots=_slots(popularity),
    )


def categories(content_cluster: int, clusters: int) -> tuple[str, ...]:
    """Returns the category names of one content cluster, sorted.

    Example:
      >>> categories(3, clusters=20), categories(23, clusters=20)
      (('cluster_03',), ('cluster_03', 'cluster_04'))
    """
    width = len(str(clusters - 1))
    width = max(width, 2)
    first = content_cluster % clusters
    members = {first} if content_cluster < clusters else {first, (first + 1) % clusters}
    return tuple(f"cluster_{member:0{width}d}" for member in sorted(members))


def _draw_items(settings: SynthesisSettings, purpose: str) -> NDArray[np.uint64]:
    key = draws.stream(settings.seed, f"item/{purpose}")
    return draws.draw(key, np.arange(settings.items))


def _popularity(settings: SynthesisSettings) -> NDArray[np.float64]:
    rank = np.empty(settings.items, np.int64)
    rank[np.argsort(_draw_items(settings, "rank"), kind="stable")] = np.arange(
        1, settings.items + 1
    )
    weight = rank.astype(np.float64) ** -settings.popularity_exponent
    popularity: NDArray[np.float64] = weight / weight.sum()
    return popularity


def _slots(popularity: NDArray[np.float64]) -> NDArray[np.int32]:
    size = 1 << int(max(MIN_SLOTS, SLOTS_PER_ITEM * popularity.size) - 1).bit_length()
    ends = np.cumsum(popularity)
    middles = (np.arange(size) + 0.5) / size * ends[-1]
    slots: NDArray[np.int32] = np.searchsorted(ends, middles).astype(np.int32)
    return slots


def _creators_and_clusters(
    settings: SynthesisSettings,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    creators = settings.num_creators
    # Squaring the uniform makes few creators prolific and most of them small.
    skewed = draws.uniform(_draw_items(settings, "creator")) ** 2
    creator = (skewed * creators).astype(np.int32)
    first_items = np.argsort(_draw_items(settings, "first"), kind="stable")[:creators]
    creator[first_items] = np.arange(creators)

    order = draws.draw(
        draws.stream(settings.seed, "creator/cluster"), np.arange(creators)
    )
    main_cluster = np.empty(creators, np.int32)
    main_cluster[np.argsort(order, kind="stable")] = (
        np.arange(creators) % settings.clusters
    )
    focused = draws.uniform(_draw_items(settings, "focus")) < settings.creator_focus
    elsewhere = draws.uniform(_draw_items(settings, "cluster")) * settings.clusters
    cluster = np.where(focused, main_cluster[creator], elsewhere.astype(np.int32))
    paired = draws.uniform(_draw_items(settings, "pair")) < settings.pair_share
    return creator, (cluster + settings.clusters * paired).astype(np.int32)


def _created_at(settings: SynthesisSettings) -> NDArray[np.int64]:
    share = np.sort(draws.uniform(_draw_items(settings, "created")))
    existing = max(1, round(settings.items * settings.existing_share))
    before = np.sort(share[:existing] / max(share[existing - 1], 1e-9))
    created = np.empty(settings.items, np.float64)
    created[:existing] = settings.start_time_ms - OLDEST_ITEM_MS * (1 - before)
    rest = np.linspace(0.0, 1.0, settings.items - existing, endpoint=False)
    created[existing:] = (
        settings.start_time_ms + rest * settings.span_ms * LAST_CREATION
    )
    return created.astype(np.int64)
