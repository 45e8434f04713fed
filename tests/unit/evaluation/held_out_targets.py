"""Targets by hand, and their table."""

import numpy as np

from components import held_out
from components.evaluation import item_index, targets
from schema import settings

INDEX = item_index.ItemIndex([b"a", b"b", b"c", b"d", b"h0", b"h1"])


def target(user, item, action="view", position=0):
    filler = [f"h{i}".encode() for i in range(position)]
    count = position + 1
    window = held_out.Window(
        user_id=user.encode(),
        item_id=np.array([*filler, item.encode()], object),
        timestamp=np.arange(count, dtype=np.int64),
        action=np.array([*[b"view"] * position, action.encode()], object),
        value=np.full(count, np.nan, np.float32),
        is_label=np.ones(count, bool),
    )
    return held_out.Target(window, position)


def make_table(found, **evaluation):
    evaluation = {"top_k": (2,), "bootstrap_samples": 50, **evaluation}
    return targets.TargetTable(
        found,
        INDEX,
        settings.FeedbackSettings(),
        settings.EvaluationSettings(**evaluation),
    )
