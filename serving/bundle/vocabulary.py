"""What a served model knows: the actions of its feedback policy, and its items.

An action that it does not know is no feedback to it. A dislike that is spelled another
way is lost without a word, unless somebody looks.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schema import features
from serving.bundle import catalog, manifest


class Vocabulary:
    """Known names; where nothing is known of them, every name passes."""

    def __init__(self, actions: Iterable[str], item_ids: Iterable[bytes]) -> None:
        """Takes the names.

        Args:
          actions: Of the feedback policy; none: not known.
          item_ids: Of the catalogue; none: not known. 8 bytes an item are kept.
        """
        self.actions = frozenset(actions)
        # A strange id whose hash is that of a known one passes: one in 10^13 or fewer.
        self._item_hashes = np.sort(np.fromiter(map(hash, item_ids), np.int64))

    def unknown_actions(self, actions: NDArray[Any]) -> dict[str, int]:
        """Returns in how many elements each unknown action occurs.

        Args:
          actions: Texts of any shape; several actions of one element joined by `|`.

        Example:
          >>> known = Vocabulary(["view", "dislike"], [])
          >>> known.unknown_actions(np.array([[b"view|DISLIKE", b"view"]], object))
          {'DISLIKE': 1}
        """
        unknown: dict[str, int] = {}
        if not self.actions:
            return unknown
        for text, count in collections.Counter(actions.ravel().tolist()).items():
            for name in set(_decoded(text).split(features.ACTION_SEPARATOR)):
                if name and name not in self.actions:
                    unknown[name] = unknown.get(name, 0) + count
        return unknown

    def count_unknown_items(self, item_id: NDArray[Any]) -> int:
        """Returns how many of the item ids (bytes, any shape, b"" pads) are unknown."""
        if not len(self._item_hashes):
            return 0
        flat = item_id[item_id != b""]
        hashes = np.fromiter(map(hash, flat), np.int64, count=len(flat))
        place = np.searchsorted(self._item_hashes, hashes)
        place = np.minimum(place, len(self._item_hashes) - 1)
        return int((self._item_hashes[place] != hashes).sum())


def _decoded(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text


def read(directory: str | Path) -> Vocabulary:
    """Returns the names from the files beside a SavedModel."""
    policy = manifest.read(directory).get("config", {}).get("feedback", {})
    item_ids = (item_id for item_id, _ in catalog.read_one_by_one(directory))
    return Vocabulary(policy.get("actions", ()), item_ids)
