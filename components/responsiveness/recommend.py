"""The served model as the simulation asks it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.responsiveness.behaviour import Recommend
from components.responsiveness.branches import Strings
from schema import errors
from serving.bundle import histories, saved_model, signature

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
        width = max(int((item_id != b"").sum(axis=1).max(initial=0)), 1)
        sent = slice(0, -(-width // _PADDING) * _PADDING)
        inputs = {
            signature.HISTORY_ITEM_ID: item_id[:, sent],
            signature.HISTORY_ACTION: action[:, sent],
            signature.HISTORY_TIMESTAMP: timestamp[:, sent],
            signature.HISTORY_VALUE: value[:, sent],
            signature.EXCLUDE_ITEM_ID: np.zeros((len(item_id), 0), object),
            signature.K: np.full(len(item_id), k, np.int32),
        }
        if width > max_length:
            inputs = histories.keep_newest(inputs, max_length)
        return model.run(inputs)[signature.ITEM_ID]

    return recommend
