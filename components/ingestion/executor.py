"""What the components and executors of both example generators share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import artifact_utils, component_spec, standard_component_specs

from components import specs
from components.ingestion import driver, locations
from schema import errors

INGESTION_REPORT = "ingestion_report"
DATA, MAPPING = "data", "mapping"
SOURCE_PARAMETERS = {
    **specs.strings(standard_component_specs.INPUT_BASE_KEY, DATA, MAPPING),
    standard_component_specs.INPUT_CONFIG_KEY: component_spec.ExecutionParameter(
        type=example_gen_pb2.Input
    ),
    standard_component_specs.RANGE_CONFIG_KEY: component_spec.ExecutionParameter(
        type=range_config_pb2.RangeConfig, optional=True
    ),
}
"""Execution properties that both example generators have."""
_TFRECORDS_GZIP = "tfrecords_gzip"


class SourceExecutor(base_beam_executor.BaseBeamExecutor):
    """What the executors of both example generators share."""

    def source_files(
        self, exec_properties: dict[str, Any], location: str, key: str
    ) -> list[locations.SourceFile]:
        """Returns the files of the source, of the span that the driver chose.

        Args:
          exec_properties: `input_base` and `input_config` as the driver left them.
          location: what the user wrote, for messages.
          key: the setting that holds it, for messages.

        Raises:
          InputError: nothing matches, or a file has an unknown format.
        """
        base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        config = driver.input_config(exec_properties)
        if locations.has_spec(config.splits[0].pattern):
            # Orchestrators without drivers leave the spec in place.
            config = driver.with_window(base, config)
        paths = [
            path
            for split in config.splits
            for path in fileio.glob(os.path.join(base, split.pattern))
        ]
        files = [path for path in paths if not fileio.isdir(path)]
        return locations.source_files(files, location, key)

    def examples_dirs(
        self, examples: types.Artifact, splits: Sequence[str]
    ) -> dict[str, str]:
        """Returns the folder of each split, and tells the artifact what it will hold.

        The properties set here are those by which other components read the examples.
        """
        examples.split_names = artifact_utils.encode_split_names(list(splits))
        examples_utils.set_payload_format(
            examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
        )
        examples_utils.set_file_format(examples, _TFRECORDS_GZIP)
        return {
            split: artifact_utils.get_split_uri([examples], split) for split in splits
        }

    def run_beam(self, transform: beam.PTransform) -> None:
        """Runs one transform as a pipeline."""
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | transform


@contextlib.contextmanager
def rescued_report(report_uri: str) -> Iterator[None]:
    """Copies the report beside its artifact's folder if the block refuses the source.

    The outputs of a failed execution are deleted: without the copy, the rows that
    made it fail could not be looked at.

    Raises:
      InputError: the block's, which names the copy in place of the report.
    """
    try:
        yield
    except errors.InputError as error:
        base, execution = os.path.split(report_uri.rstrip("/"))
        folder = os.path.join(os.path.dirname(base), "failed_ingestion", execution)
        fileio.makedirs(folder)
        for name in fileio.listdir(report_uri):
            copy = os.path.join(folder, name)
            fileio.copy(os.path.join(report_uri, name), copy, overwrite=True)
        raise errors.InputError(str(error).replace(report_uri, folder)) from error
