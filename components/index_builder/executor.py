"""Executor of IndexBuilder: towers and catalogue in, servable model out."""

from __future__ import annotations

import json
import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts, held_out
from components.index_builder import build, servable, shared_audience
from components.specs import Artifacts, Properties
from schema import features, settings

_DATA_PROPERTIES = ("span", "version", "input_fingerprint")


class Executor(base_executor.BaseExecutor):
    """Builds the index over the candidate embeddings and exports the endpoint."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Writes `Format-Serving/` and, beside it, the stock-operation exact twin.

        The served model holds which items share their audience, for people to read;
        neither answers nor the model's id depend on it.

        Args:
          input_dict: what the component takes, by the same names.
          output_dict: `model`.
          exec_properties: `index`, canonical JSON of the section; `run_config`, the
            canonical JSON that the manifest records; `max_lost_items_share`, a number
            as text, where there is a `previous_catalog`.

        Raises:
          InputError: an embedding is not finite, an item stands twice, everything is
            withdrawn, or too much of the previous catalogue is gone.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        index = settings.IndexSettings.from_json(exec_properties["index"])
        towers_uri = artifact_utils.get_single_uri(input_dict["towers"])
        model_uri = artifact_utils.get_single_uri(output_dict["model"])
        items = servable.read(_split_files(input_dict["catalog"], features.CATALOG))
        if input_dict.get("previous_catalog"):
            before = servable.read(
                _split_files(input_dict["previous_catalog"], features.CATALOG)
            )
            share = float(exec_properties["max_lost_items_share"])
            items = servable.with_lost(items, before, share)
        output_dict["model"][0].set_string_custom_property(
            artifacts.TRAINED_TOWERS_URI,
            artifacts.trained_towers_uri(input_dict["towers"][0]),
        )
        train_files = _split_files(input_dict["examples"], features.TRAIN)
        build.build_endpoint(
            path_utils.serving_model_path(towers_uri),
            _split_files(input_dict["examples"], features.EVAL),
            items,
            index,
            {
                "config": json.loads(exec_properties["run_config"]),
                "data": {
                    "events": _data_of(input_dict["examples"][0]),
                    "items": _data_of(input_dict["catalog"][0]),
                },
            },
            path_utils.serving_model_dir(model_uri),
            os.path.join(model_uri, artifacts.EXACT_TWIN),
            shared_audience.of(held_out.read_windows(train_files)),
        )


def _split_files(examples: list[types.Artifact], split: str) -> list[str]:
    uri = artifact_utils.get_split_uri(examples, split)
    return list(tf.io.gfile.glob(os.path.join(uri, "*")))


def _data_of(examples: types.Artifact) -> dict[str, Any]:
    """Returns span, version and fingerprint of the files behind raw examples."""
    found: dict[str, Any] = {}
    for name in _DATA_PROPERTIES:
        if examples.has_property(name):
            found[name] = getattr(examples, name)
        elif examples.has_custom_property(name):
            text = examples.get_string_custom_property(name)
            found[name] = text or examples.get_int_custom_property(name)
    return found
