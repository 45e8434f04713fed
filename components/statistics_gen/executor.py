"""Executor of StatisticsGen."""

from __future__ import annotations

import json
import os

from tfx.components.statistics_gen import executor as tfx_executor
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs

from components.specs import Artifacts, Properties
from components.statistics_gen import counting
from schema import files

MAX_EXAMPLES = "max_examples"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes what TFX's StatisticsGen writes, where it writes it."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Counts the examples of each split, or a sample of them.

        Args:
          input_dict: `examples`, gzip TFRecords.
          output_dict: `statistics`: `FeatureStats.pb` for each split, and
            `sample.json`. The property `sample_rate_by_split`, which is TFX's own,
            gives the share of the examples that were counted.
          exec_properties: `exclude_splits`: a JSON list; `max_examples`: that are
            counted of a split.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(
            input_dict[standard_component_specs.EXAMPLES_KEY]
        )
        artifact = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.STATISTICS_KEY]
        )
        excluded = json.loads(
            exec_properties[standard_component_specs.EXCLUDE_SPLITS_KEY]
        )
        splits = [
            split
            for split in artifact_utils.decode_split_names(examples.split_names)
            if split not in excluded
        ]
        artifact.split_names = artifact_utils.encode_split_names(splits)
        artifact.span = examples.span
        limit = int(exec_properties[MAX_EXAMPLES])
        sources = []
        for split in splits:
            folder = artifact_utils.get_split_uri([examples], split)
            paths = sorted(fileio.glob(os.path.join(folder, "*")))
            of_each = -(-limit // max(1, len(paths)))
            sources += [counting.Source(split, path, of_each) for path in paths]
        written = {
            split: os.path.join(
                artifact_utils.get_split_uri([artifact], split),
                tfx_executor.DEFAULT_FILE_NAME,
            )
            for split in splits
        }
        sample_path = os.path.join(artifact.uri, counting.SAMPLE_FILE)
        with self._make_beam_pipeline() as pipeline:
            _ = pipeline | counting.WriteStatistics(sources, written, sample_path)
        rates = {
            split: sampled / num_examples if num_examples else 1.0
            for split, (sampled, num_examples) in json.loads(
                files.read_bytes(sample_path)
            ).items()
        }
        artifact.set_json_value_custom_property(
            tfx_executor.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME, json.dumps(rates)
        )
