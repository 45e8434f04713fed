"""What the specs of our components have in common.

Parameters are strings (JSON of a part of the configuration), outputs are one artifact
each, and the digest of the executor's source is among the parameters: TFX's cache key
holds a component's parameters and inputs, but not its code.
"""

from __future__ import annotations

from typing import Any, TypeVar

from tfx import types
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components import source_digest

Artifacts = dict[str, list[types.Artifact]]
"""Inputs or outputs of an execution, by key."""
Properties = dict[str, Any]
"""Parameters of an execution, by name."""
Spec = TypeVar("Spec", bound=types.ComponentSpec)


def strings(*names: str) -> dict[str, ExecutionParameter]:
    """Returns PARAMETERS of these names and of the source's digest."""
    return {name: ExecutionParameter(type=str) for name in (*names, "source_digest")}


def channels(**artifacts: type[types.Artifact]) -> dict[str, ChannelParameter]:
    """Returns INPUTS or OUTPUTS, name to type."""
    return {name: ChannelParameter(type=kind) for name, kind in artifacts.items()}


def optional(**artifacts: type[types.Artifact]) -> dict[str, ChannelParameter]:
    """Returns INPUTS that may be left out, name to type."""
    return {
        name: ChannelParameter(type=kind, optional=True)
        for name, kind in artifacts.items()
    }


def fill(
    spec: type[Spec], *modules: str, **given: str | types.BaseChannel | None
) -> Spec:
    """Returns the spec with its outputs and the digest of its code.

    Args:
      spec: the component's spec class.
      modules: what the component runs, such as `components.evaluation.executor`.
      given: parameters and inputs.
    """
    outputs = {
        name: types.Channel(type=output.type) for name, output in spec.OUTPUTS.items()
    }
    digest = source_digest.source_digest(*modules)
    filled: Spec = spec(**given, **outputs, source_digest=digest)
    return filled
