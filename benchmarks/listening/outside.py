"""The answer to a dislike, judged by the audiences of another log.

Each real history, its newest elements, is answered as it is, with an item of its first
ten liked, and with that item disliked; and once more with five items of the first slate
liked afterwards. Likeness is by who met what in a larger log of the same catalogue,
which no model here has read: for the MovieLens sample, MovieLens 1M.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.held_out import Window
from components.responsiveness import recommend, similarities, starts
from components.responsiveness.behaviour import Recommend
from components.responsiveness.branches import (
    BEFORE,
    CONTROL,
    TREATMENT,
    Branches,
    Strings,
    without,
)
from components.responsiveness.effect import EffectEstimator
from components.responsiveness.histories import Histories
from pipeline.studies.experiment_figures import Figures
from schema import settings
from serving.bundle import catalog, saved_model, signature

_SLATE, _FIRST, _LIKES, _STEP_MS = 20, 10, 5, 60_000
_LIKE, _DISLIKE = b"like", b"dislike"
_BATCH = 200
AT_ONCE, LATER = "at once", f"{_LIKES} likes later"
_SHOWN = ("audience", "audience_nearest", "category_overlap", "content")


def branches(
    ask: Recommend, windows: Sequence[Window], known: Strings, seed: int
) -> dict[str, Branches]:
    """Returns the slates of some histories at once, and five likes later.

    Args:
      ask: the model.
      windows: real histories.
      known: items that the judge met; only they are disliked.
      seed: chooses the disliked item, and the liked ones.
    """
    rng = np.random.default_rng(seed)
    history = Histories(windows, 1 + _LIKES)

    def slate(asked: Histories, further: int = 0) -> Strings:
        parts = [
            ask(
                asked.item_id[rows],
                asked.action[rows],
                asked.timestamp[rows],
                asked.value[rows],
                _SLATE + further,
            )
            for rows in _blocks(len(asked))
        ]
        return np.concatenate(parts)

    first = slate(history, further=1)
    is_known = np.isin(first[:, :_FIRST].astype(bytes), known.astype(bytes))
    asked = is_known.any(axis=1)
    history, first, is_known = history.copy(asked, 6), first[asked], is_known[asked]
    place = np.array([rng.choice(np.flatnonzero(row)) for row in is_known])
    item_k = first[np.arange(len(first)), place]
    before = without(first, item_k)
    ends = {}
    for name, action in ((CONTROL, _LIKE), (TREATMENT, _DISLIKE)):
        ends[name] = history.copy(steps=1 + _LIKES)
        ends[name].append(item_k, action, np.nan, _STEP_MS)
    now = {name: slate(end) for name, end in ends.items()}
    for place in rng.permuted(np.tile(np.arange(_SLATE), (len(before), 1)), axis=1).T[
        :_LIKES
    ]:
        liked = before[np.arange(len(before)), place]
        for end in ends.values():
            end.append(liked, _LIKE, np.nan, _STEP_MS)
    later = {name: slate(end) for name, end in ends.items()}
    user = history.user_id
    return {
        AT_ONCE: Branches(user, item_k, {BEFORE: before, **now}),
        LATER: Branches(user, item_k, {BEFORE: before, **later}),
    }


def _blocks(number: int) -> list[slice]:
    return [slice(start, start + _BATCH) for start in range(0, number, _BATCH)]


def judged(
    model_dir: str,
    windows: Sequence[Window],
    pairs: Sequence[tuple[bytes, bytes]],
    user_control: float,
    seed: int,
) -> dict[str, Figures]:
    """Returns one model's figures: occasion to `FIGURE.SIMILARITY`.

    Args:
      model_dir: a pushed version.
      windows: real histories.
      pairs: (user_id, item_id) of the judge's log.
      user_control: of every request.
      seed: see `branches`.
    """
    model = recommend.load(model_dir)
    policy = settings.ResponsivenessSettings(judge_neighbours=20)
    items = catalog.read(model.directory)
    judge = similarities.judge([p for p in pairs if p[1] in items], policy)
    measured = [
        *judge.similarities(policy.judge_neighbours),
        *similarities.of_catalog(items, [], policy),
    ]
    estimator = EffectEstimator(
        tuple(by for by in measured if by.name in _SHOWN), policy
    )
    known = np.array(sorted({item for _, item in pairs}), object)
    ask = _asking(model, user_control)
    found: dict[str, Figures] = {}
    for occasion, slates in branches(ask, windows, known, seed).items():
        figures: Figures = {"histories": len(slates)}
        for name, effect in estimator.effects(slates).items():
            figures[f"net.{name}"] = effect.net_responsiveness
            figures[f"control.{name}"] = effect.responsiveness
        figures["kept"] = estimator.kept(slates).of_before
        found[occasion] = figures
    return found


def _asking(model: saved_model.RetrievalModel, user_control: float) -> Recommend:
    def ask(
        item_id: Strings,
        action: Strings,
        timestamp: NDArray[np.int64],
        value: NDArray[np.float32],
        k: int,
    ) -> Strings:
        inputs = {
            signature.HISTORY_ITEM_ID: item_id,
            signature.HISTORY_ACTION: action,
            signature.HISTORY_TIMESTAMP: timestamp,
            signature.HISTORY_VALUE: value,
            signature.EXCLUDE_ITEM_ID: np.zeros((len(item_id), 0), object),
            signature.K: np.full(len(item_id), k, np.int32),
            signature.USER_CONTROL: np.full(len(item_id), user_control, np.float32),
        }
        shown = model.run(inputs, signature.CONTROLLED_SIGNATURE)
        return shown[signature.ITEM_ID]

    return ask


def histories(examples: str, newest: int) -> list[Window]:
    """Returns the newest elements of each user's last training window.

    Args:
      examples: folder of EventExampleGen's output.
      newest: elements at most; users with fewer than 20 are left out.
    """
    train = sorted(glob.glob(os.path.join(examples, "Split-train", "*")))
    policy = settings.ResponsivenessSettings()
    found = []
    for window in starts.read(train, 10**9, policy.seed).windows:
        if len(window.item_id) >= 20:
            last = slice(-newest, None)
            parts = {
                name: getattr(window, name)[last]
                for name in ("item_id", "timestamp", "action", "value", "is_label")
            }
            found.append(Window(window.user_id, **parts))
    return found
