"""Driver of both example generators: which spans are read, and whether files changed.

A window of spans travels in the names of the input's splits, which is all that some
orchestrators give to a driver: `window-7` asks for the seven newest spans, `span-41`
is one of them.
"""

from __future__ import annotations

import glob
import hashlib
import os
from typing import Any

from tfx.components.example_gen import driver, input_processor, utils
from tfx.dsl.io import fileio
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from components.ingestion import locations
from schema import errors

_WINDOW, _SPAN = "window-", "span-"


def source_properties(location: str, window_spans: int = 1) -> dict[str, Any]:
    """Returns `input_base` and `input_config` for a path, glob or pattern.

    Args:
      location: what the user wrote.
      window_spans: how many newest spans are read.
    """
    base, pattern = locations.split_location(location)
    name = f"{_WINDOW}{window_spans}" if locations.has_spec(pattern) else "source"
    return {
        # TFX takes it for the beginning of a glob.
        standard_component_specs.INPUT_BASE_KEY: glob.escape(base),
        standard_component_specs.INPUT_CONFIG_KEY: _input([(name, pattern)]),
    }


def _input(splits: list[tuple[str, str]]) -> example_gen_pb2.Input:
    return example_gen_pb2.Input(
        splits=[
            example_gen_pb2.Input.Split(name=name, pattern=pattern)
            for name, pattern in splits
        ]
    )


def input_config(exec_properties: dict[str, Any]) -> example_gen_pb2.Input:
    """Returns the input configuration among execution properties."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(
        exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config
    )
    return config


def spans_of(exec_properties: dict[str, Any]) -> list[int]:
    """Returns the numbers of the spans that are read; none without a pattern."""
    numbers = [
        _number(_SPAN, split.name) for split in input_config(exec_properties).splits
    ]
    return [number for number in numbers if number is not None]


def _number(prefix: str, name: str) -> int | None:
    digits = name.removeprefix(prefix)
    return int(digits) if name.startswith(prefix) and digits.isdecimal() else None


def with_window(
    base: str, config: example_gen_pb2.Input, newest_span: int | None = None
) -> example_gen_pb2.Input:
    """Returns the input with one split for each span of its window, oldest first.

    Args:
      base: folder below which the patterns lie.
      config: one split, whose pattern may hold a spec and whose name its window.
      newest_span: where the window ends; None: at the newest span there is.
    """
    (split,) = config.splits
    if not locations.has_spec(split.pattern):
        return config
    if newest_span is None:
        processor = input_processor.FileBasedInputProcessor(base, config.splits)
        newest_span, _ = processor.resolve_span_and_version()
    paths = fileio.glob(os.path.join(base, locations.any_span(split.pattern)))
    prefix = locations.unescaped(base).rstrip("/") + "/"
    found = locations.newest_spans(
        (path.removeprefix(prefix) for path in paths),
        split.pattern,
        newest_span,
        _number(_WINDOW, split.name) or 1,
    )
    return _input([(f"{_SPAN}{span.number}", span.pattern) for span in found])


class SourceDriver(driver.FileBasedDriver):
    """Resolves the span, and fingerprints the files more finely than TFX does.

    TFX sums sizes and modification times in whole seconds: an edit that keeps a
    file's size within a second of the last one would go unnoticed.
    """

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """Returns the properties with span, version and fingerprint.

        Raises:
          InputError: no file matches the pattern.
        """
        location = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        given = input_config(exec_properties)
        try:
            resolved: dict[str, Any] = super().resolve_exec_properties(
                exec_properties, pipeline_info, component_info
            )
        except ValueError as error:
            raise errors.InputError(
                f"no span of the source below {locations.unescaped(location)} was "
                f"found: {error}; expected files that match the {{SPAN}} pattern."
            ) from error
        config = with_window(location, given, resolved[utils.SPAN_PROPERTY_NAME])
        resolved[standard_component_specs.INPUT_CONFIG_KEY] = proto_utils.proto_to_json(
            config
        )
        paths = [
            path
            for split in config.splits
            for path in fileio.glob(f"{location}/{split.pattern}")
        ]
        resolved[utils.FINGERPRINT_PROPERTY_NAME] += f",files:{_digest(paths)}"
        return resolved


def _digest(paths: list[str]) -> str:
    """Returns a digest of names, sizes and modification times."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        if locations.is_remote(path):
            stat = fileio.stat(path)
            size, modified = stat.length, stat.mtime_nsec
        else:
            # TensorFlow's stat knows whole seconds only.
            local = os.stat(path)
            size, modified = local.st_size, local.st_mtime_ns
        digest.update(f"{path}\n{size}\n{modified}\n".encode())
    return digest.hexdigest()[:16]
