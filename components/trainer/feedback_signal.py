"""The arms: how negative feedback enters the query tower's input and the labels.

| arm                 | a disliked element in the input | as a label       |
|---------------------|---------------------------------|------------------|
| `none`              | as the control action           | positive         |
| `feature`           | with the negative flag          | none             |
| `label`             | as the control action           | not to recommend |
| `feature_and_label` | with the negative flag          | not to recommend |
| `drop`              | removed                         | none             |

"As the control action" is literal: the model of such an arm cannot tell a treated
history from its control, which is why its responsiveness is exactly 0.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from components.trainer import config as trainer_config
from schema import features, settings


class ElementInputs(NamedTuple):
    """What the query tower reads of each history element beside the item."""

    features: tf.Tensor
    """[batch, length, num_features] float32."""
    visible: tf.Tensor
    """[batch, length] bool; False: the element is no input (arm `drop`)."""


class LabelWeights(NamedTuple):
    """The weight of each element as a label; 0: it is none of that kind."""

    positive: tf.Tensor
    """[batch, length] float32."""
    negative: tf.Tensor
    """[batch, length] float32."""


@dataclasses.dataclass(frozen=True)
class FeedbackSignal:
    """Turns action sets into inputs and labels according to policy and arm."""

    feedback: settings.FeedbackSettings
    arm: settings.NegativeSignal
    control_action: str
    control_value: float | None

    @classmethod
    def of(cls, config: trainer_config.TrainerConfig) -> FeedbackSignal:
        """Returns the signal that a configuration asks for."""
        return cls(
            config.feedback,
            config.model.negative_signal,
            config.control_action,
            config.control_value,
        )

    @property
    def _bits(self) -> dict[str, int]:
        return {name: 1 << i for i, name in enumerate(self.feedback.names())}

    @property
    def _negative_bits(self) -> int:
        return sum(self._bits[name] for name in self.feedback.negative_names())

    @property
    def _shown_actions(self) -> tuple[str, ...]:
        negative = self.feedback.negative_names()
        return tuple(name for name in self.feedback.names() if name not in negative)

    @property
    def sees_negatives(self) -> bool:
        """Whether the input carries the negative flag."""
        return self.arm in ("feature", "feature_and_label")

    @property
    def gap_feature(self) -> str:
        """Name of the time gap that the arm sees.

        In arm `drop` not even the time between its neighbours may tell of an element.
        """
        return features.KEPT_LOG_GAP if self.arm == "drop" else features.LOG_GAP

    def is_negative(self, action_set: tf.Tensor) -> tf.Tensor:
        """Returns which elements hold a negative action, bool, the input's shape."""
        return tf.bitwise.bitwise_and(action_set, self._negative_bits) != 0

    def is_explicit_negative(self, action_set: tf.Tensor) -> tf.Tensor:
        """Returns which elements hold a negative action that the user stated.

        What was only skipped is part of the history like anything else.
        """
        stated = [
            name
            for name in self.feedback.negative_names()
            if self.feedback.actions[name].explicit
        ]
        bits = sum(self._bits[name] for name in stated)
        return tf.bitwise.bitwise_and(action_set, bits) != 0

    def inputs(
        self,
        action_set: tf.Tensor,
        value: tf.Tensor,
        value_present: tf.Tensor,
        log_gap: tf.Tensor,
    ) -> ElementInputs:
        """Returns the element features of the arm.

        Args:
          action_set: [batch, length] int64 bit mask.
          value: [batch, length] float32.
          value_present: [batch, length] float32, 0 or 1.
          log_gap: [batch, length] float32, the one that `gap_feature` names.
        """
        negative = self.is_negative(action_set)
        shown = tf.bitwise.bitwise_and(action_set, ~self._negative_bits)
        flag = tf.cast(negative, tf.float32)
        if not self.sees_negatives:
            control = self._bits[self.control_action]
            only_negative = negative & (shown == 0)
            shown = tf.where(negative, tf.bitwise.bitwise_or(shown, control), shown)
            # The value of a lone dislike (a low rating, a short dwell) would give
            # it away.
            value = tf.where(only_negative, self.control_value or 0.0, value)
            has_control_value = float(self.control_value is not None)
            value_present = tf.where(only_negative, has_control_value, value_present)
            flag = tf.zeros_like(flag)
        columns = [
            tf.cast(tf.bitwise.bitwise_and(shown, self._bits[name]) != 0, tf.float32)
            for name in self._shown_actions
        ]
        columns += [flag, value * value_present, value_present, log_gap]
        visible = ~negative if self.arm == "drop" else tf.ones_like(negative)
        return ElementInputs(tf.stack(columns, axis=-1), visible)

    def label_weights(self, action_set: tf.Tensor) -> LabelWeights:
        """Returns the label weights of the arm.

        An element's weight is the largest among its actions of the deciding
        polarity; one with a negative action is never a positive label, except in
        arm `none`, which takes it for the control action.

        Args:
          action_set: [batch, length] int64 bit mask.
        """
        negative = self.is_negative(action_set)
        positive_weight = self._largest_weight(action_set, "positive")
        negative_weight = self._largest_weight(action_set, "negative")
        if self.arm == "none":
            control = self.feedback.actions[self.control_action]
            control_weight = control.weight if control.polarity == "positive" else 0.0
            as_control = tf.maximum(positive_weight, control_weight)
            positive_weight = tf.where(negative, as_control, positive_weight)
        else:
            positive_weight = tf.where(negative, 0.0, positive_weight)
        if self.arm not in ("label", "feature_and_label"):
            negative_weight = tf.zeros_like(negative_weight)
        return LabelWeights(positive_weight, negative_weight)

    def _largest_weight(self, action_set: tf.Tensor, polarity: str) -> tf.Tensor:
        largest = tf.zeros_like(action_set, dtype=tf.float32)
        for name, policy in self.feedback.actions.items():
            if policy.polarity == polarity:
                has = tf.bitwise.bitwise_and(action_set, self._bits[name]) != 0
                largest = tf.maximum(largest, tf.where(has, policy.weight, 0.0))
        return largest
