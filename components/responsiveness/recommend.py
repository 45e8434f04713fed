"""The served model as the simulation asks it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.responsiveness.behaviour import Recommend
from components.responsiveness.branches import Strings
from schema import errors
from serving.bundle import saved_model

_PADDING = 20


def load(model_dir: str) -> saved_model.RetrievalModel:
    """Returns the exported model.

    Raises:
      InputError: it lacks the signature that requests need.
    """
    try:
        return saved_model.load_exported(model_dir)
    except errors.InputError as error:
        raise errors.InputError(
            f"{error}: nothing can be asked of it; export it with IndexBuilder"
        ) from error


def through(model: saved_model.RetrievalModel, max_length: int) -> Recommend:
    """Returns how to ask a served model for slates.

    The query tower reads the newest `max_length` elements of a history. Only these are
    sent as history, padded to a multiple of a fixed length, so that a step costs no
    more however long the trajectory is; older items go as exclusions, so that they
    stay out of the slates.
    """

    def recommend(
        item_id: Strings,
        action: Strings,
        timestamp: NDArray[np.int64],
        value: NDArray[np.float32],
        k: int,
    ) -> Strings:
        length = (item_id != b"").sum(axis=1)
        width = max(int(length.max(initial=0)), 1)
        if width <= max_length:
            sent = slice(0, -(-width // _PADDING) * _PADDING)
            arrays = (item_id[:, sent], action[:, sent], timestamp[:, sent])
            return model.recommend(*arrays, value[:, sent], k)[0]
        first = np.maximum(length - max_length, 0)
        column = np.minimum(
            first[:, None] + np.arange(max_length), item_id.shape[1] - 1
        )
        newest = (np.arange(len(item_id))[:, None], column)
        older = np.where(
            np.arange(int(first.max()))[None, :] < first[:, None],
            item_id[:, : int(first.max())],
            b"",
        )
        return model.recommend(
            item_id[newest],
            action[newest],
            timestamp[newest],
            value[newest],
            k,
            exclude_item_id=older,
        )[0]

    return recommend
