"""The table of arms, row by row; the policy is the default unless it says otherwise.

Feature columns: like, view (the shown actions, sorted), negative flag, value, value
present, log gap.
"""

import pytest
import tensorflow as tf

from schema import settings
from tests import two_towers

ARMS = ("none", "feature", "label", "feature_and_label", "drop")


def inputs(signal, actions, value=None, log_gap=0.5):
    """The features and the visibility of one element."""
    result = signal.inputs(
        tf.constant([[two_towers.action_bits(actions)]], tf.int64),
        tf.constant([[0.0 if value is None else value]], tf.float32),
        tf.constant([[float(value is not None)]], tf.float32),
        tf.constant([[log_gap]], tf.float32),
    )
    return result.features.numpy()[0, 0].tolist(), bool(result.visible.numpy()[0, 0])


def weights(signal, actions):
    result = signal.label_weights(
        tf.constant([[two_towers.action_bits(actions)]], tf.int64)
    )
    return (
        pytest.approx(result.positive.numpy()[0, 0]),
        pytest.approx(result.negative.numpy()[0, 0]),
    )


@pytest.mark.parametrize("arm", ARMS)
def test_positive_element_is_the_same_in_every_arm(arm):
    signal = two_towers.make_signal(arm)

    assert inputs(signal, "view", 0.25) == ([0, 1, 0, 0.25, 1, 0.5], True)
    assert inputs(signal, "like") == ([1, 0, 0, 0, 0, 0.5], True)
    assert inputs(signal, "like|view", 0.75) == ([1, 1, 0, 0.75, 1, 0.5], True)


@pytest.mark.parametrize("arm", ["feature", "feature_and_label"])
def test_feature_arms_show_the_flag_and_keep_the_rest(arm):
    signal = two_towers.make_signal(arm)

    assert inputs(signal, "dislike|view", 0.25) == ([0, 1, 1, 0.25, 1, 0.5], True)
    assert inputs(signal, "dislike") == ([0, 0, 1, 0, 0, 0.5], True)
    assert inputs(signal, "skip", 0.125) == ([0, 0, 1, 0.125, 1, 0.5], True)


@pytest.mark.parametrize("arm", ["none", "label"])
@pytest.mark.parametrize("negative", ["dislike", "skip", "dislike|skip"])
def test_lone_negative_element_is_literally_the_control(arm, negative):
    signal = two_towers.make_signal(arm, control_value=1.0)

    # Its own value, a short dwell, would give it away.
    assert inputs(signal, negative, 0.125) == inputs(signal, "view", 1.0)


@pytest.mark.parametrize("arm", ["none", "label"])
def test_treated_element_is_literally_the_untreated_one(arm):
    signal = two_towers.make_signal(arm)

    assert inputs(signal, "dislike|view", 0.25) == inputs(signal, "view", 0.25)


@pytest.mark.parametrize("arm", ["none", "label"])
def test_control_without_a_value_takes_the_value_away(arm):
    signal = two_towers.make_signal(arm, control_value=None)

    assert inputs(signal, "dislike", 0.125) == ([0, 1, 0, 0, 0, 0.5], True)


@pytest.mark.parametrize("negative", ["dislike", "skip", "dislike|like", "skip|view"])
def test_drop_hides_every_element_with_a_negative_action(negative):
    assert inputs(two_towers.make_signal("drop"), negative)[1] is False


def test_value_that_is_not_present_is_not_read():
    signal = two_towers.make_signal()
    result = signal.inputs(
        tf.constant([[two_towers.BIT["view"]]], tf.int64),
        tf.constant([[7.0]]),
        tf.constant([[0.0]]),
        tf.constant([[0.0]]),
    )

    assert result.features.numpy()[0, 0].tolist() == [0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("arm", "actions", "expected"),
    [
        # (positive, negative); the default weights: like 1, view .5, skip .1,
        # dislike 1.
        ("none", "like", (1.0, 0.0)),
        ("none", "view", (0.5, 0.0)),
        ("none", "dislike", (0.5, 0.0)),
        ("none", "dislike|like", (1.0, 0.0)),
        ("feature", "view", (0.5, 0.0)),
        ("feature", "dislike", (0.0, 0.0)),
        ("feature", "dislike|like", (0.0, 0.0)),
        ("label", "like|view", (1.0, 0.0)),
        ("label", "dislike", (0.0, 1.0)),
        ("label", "skip", (0.0, 0.1)),
        ("label", "dislike|skip", (0.0, 1.0)),
        ("feature_and_label", "like", (1.0, 0.0)),
        ("feature_and_label", "dislike|like", (0.0, 1.0)),
        ("feature_and_label", "skip|view", (0.0, 0.1)),
        ("drop", "view", (0.5, 0.0)),
        ("drop", "dislike", (0.0, 0.0)),
        ("drop", "dislike|view", (0.0, 0.0)),
    ],
)
def test_label_weights(arm, actions, expected):
    assert weights(two_towers.make_signal(arm), actions) == expected


def test_neutral_actions_are_shown_and_label_nothing():
    feedback = settings.FeedbackSettings(
        actions={
            "dislike": settings.ActionPolicy(polarity="negative", weight=2.0),
            "open": settings.ActionPolicy(polarity="neutral", weight=9.0),
        }
    )
    signal = two_towers.make_signal(
        "feature_and_label", feedback, control_action="open", control_value=None
    )
    dislike, opened = tf.constant([[1]], tf.int64), tf.constant([[2]], tf.int64)
    zero = tf.zeros((1, 1))

    assert signal.inputs(opened, zero, zero, zero).features.numpy()[0, 0].tolist() == [
        1, 0, 0, 0, 0,
    ]  # fmt: skip
    assert signal.label_weights(opened).positive.numpy().tolist() == [[0.0]]
    assert signal.label_weights(dislike).negative.numpy().tolist() == [[2.0]]


def test_arm_none_with_a_neutral_control_takes_a_dislike_for_no_label():
    feedback = settings.FeedbackSettings(
        actions={
            "dislike": settings.ActionPolicy(polarity="negative"),
            "open": settings.ActionPolicy(polarity="neutral"),
        }
    )
    signal = two_towers.make_signal("none", feedback, "open", None)

    result = signal.label_weights(tf.constant([[1]], tf.int64))

    assert result.positive.numpy().tolist() == [[0.0]]
    assert result.negative.numpy().tolist() == [[0.0]]


def test_action_of_weight_zero_is_negative_all_the_same():
    feedback = settings.FeedbackSettings(
        actions={
            "dislike": settings.ActionPolicy(polarity="negative", weight=0.0),
            "view": settings.ActionPolicy(polarity="positive"),
        }
    )
    signal = two_towers.make_signal("feature_and_label", feedback)
    both = tf.constant([[3]], tf.int64)

    assert signal.is_negative(both).numpy().tolist() == [[True]]
    assert signal.label_weights(both).positive.numpy().tolist() == [[0.0]]


def test_highest_of_62_actions_does_not_overflow():
    names = [f"a{i:02d}" for i in range(61)] + ["zz"]
    polarity = dict.fromkeys(names, "positive") | {"zz": "negative"}
    feedback = settings.FeedbackSettings(
        actions={n: settings.ActionPolicy(polarity=polarity[n]) for n in names}
    )
    signal = two_towers.make_signal("feature", feedback, "a00")
    mask = tf.constant([[1 << 61, 1 << 60]], tf.int64)

    assert signal.is_negative(mask).numpy().tolist() == [[True, False]]
    zero = tf.zeros((1, 2))
    shown = signal.inputs(mask, zero, zero, zero).features.numpy()[0]
    assert shown[0, :61].tolist() == [0.0] * 61
    assert shown[1, :61].tolist() == [0.0] * 60 + [1.0]
    assert shown[:, 61].tolist() == [1.0, 0.0]


def test_a_skip_says_no_without_being_stated():
    # Bits of the default policy: dislike 1, like 2, skip 4, view 8.
    signal = two_towers.make_signal("feature_and_label")
    mask = tf.constant([[1, 2, 4, 8, 9, 12]], tf.int64)

    negative = signal.is_negative(mask).numpy().tolist()
    stated = signal.is_explicit_negative(mask).numpy().tolist()

    assert negative == [[True, False, True, False, True, True]]
    assert stated == [[True, False, False, False, True, False]]
