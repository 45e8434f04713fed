"""Names of Heed's artifact types as Kubeflow wants them: `heed.IngestionReport`."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator

from tfx import types

from components import artifacts

_PREFIX = "heed."


def own_types() -> list[type[types.Artifact]]:
    """Returns the artifact types that `components.artifacts` defines."""
    return [
        found
        for _, found in inspect.getmembers(artifacts, inspect.isclass)
        if issubclass(found, types.Artifact) and found.__module__ == artifacts.__name__
    ]


def class_paths() -> dict[str, str]:
    """Returns the import path of each type by its Kubeflow title."""
    return {
        _PREFIX + found.__name__: f"{found.__module__}.{found.__name__}"
        for found in own_types()
    }


@contextlib.contextmanager
def kubeflow_titles() -> Iterator[None]:
    """Gives the types their Kubeflow titles while a pipeline is compiled.

    TFX takes the type name for the title and refuses one without a dot. Elsewhere the
    names stay as they are: they are keys in existing metadata stores.
    """
    names = {found: found.TYPE_NAME for found in own_types()}
    try:
        for found in names:
            found.TYPE_NAME = _PREFIX + found.__name__
        yield
    finally:
        for found, name in names.items():
            found.TYPE_NAME = name
