"""The served model as the simulation asks it."""

import numpy as np
import pytest

from components.held_out import Window
from components.responsiveness import histories, recommend
from serving.bundle import saved_model
from tests.components import tiny_pipeline


@pytest.mark.slow
def test_arm_drop_answers_as_if_the_item_had_not_been_met(exported_model, tiny_log):
    """Not 0: the control holds item k, the treatment holds nothing in its place."""
    model = saved_model.load_exported(str(exported_model("drop") / "Format-Serving"))
    ask = recommend.through(model, tiny_pipeline.MAX_LENGTH)
    window = tiny_log.train[0]
    item_id = np.array([window.item_id], object)
    action = np.array([window.action], object)
    action[0, -1] = b"dislike|view"
    timestamp, value = np.array([window.timestamp]), np.array([window.value])

    treated = ask(item_id, action, timestamp, value, 10)
    without, _ = model.recommend(
        item_id[:, :-1], action[:, :-1], timestamp[:, :-1], value[:, :-1], 10,
        exclude_item_id=item_id[:, -1:],
    )  # fmt: skip

    np.testing.assert_array_equal(treated, without)


def test_long_history_is_answered_as_if_all_of_it_were_sent(exported_model, tiny_log):
    """Only the newest elements are sent as history, the older ones as exclusions."""
    model = saved_model.load_exported(str(exported_model() / "Format-Serving"))
    ask = recommend.through(model, tiny_pipeline.MAX_LENGTH)
    rng = np.random.default_rng(1)
    windows = [tiny_pipeline.make_window(rng, u, length) for u, length in
               enumerate((40, 3, 13, 12))]  # fmt: skip
    starts = [
        Window(
            w.user_id,
            item_id=np.array(w.item_id, object),
            timestamp=np.array(w.timestamp),
            action=np.array(w.action, object),
            value=np.array(w.value, np.float32),
            is_label=np.array(w.is_label, bool),
        )
        for w in windows
    ]
    history = histories.Histories(starts, steps=5)
    arrays = (history.item_id, history.action, history.timestamp, history.value)

    np.testing.assert_array_equal(ask(*arrays, 30), model.recommend(*arrays, 30)[0])
    shown = set(ask(*arrays, 30)[0])
    assert not shown & set(windows[0].item_id)
