"""Pusher: TFX's component with an executor that pushes whole, and once."""

from __future__ import annotations

from tfx.components.pusher import component as tfx_pusher
from tfx.dsl.components.base import executor_spec

from components.pusher import executor


class Pusher(tfx_pusher.Pusher):
    """Takes and gives what TFX's Pusher does."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
