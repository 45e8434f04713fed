"""`training_history.json`: the losses and validation metrics of each epoch."""

from __future__ import annotations

from pydantic import RootModel

from schema.reports.base import Number

Epoch = dict[str, Number]
"""`epoch` (from 1), `seconds`, losses and validation metrics by name."""


class TrainingHistory(RootModel[tuple[Epoch, ...]]):
    """`training_history.json`: the epochs in order."""
