"""Executor of IndexBuilder: towers and catalogue in, servable model out."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts, held_out
from components.index_builder import (
    digest,
    endpoint,
    scann_index,
    servable,
    tuning,
)
from schema import features, settings
from serving.bundle import catalog, manifest, signature

_DATA_PROPERTIES = ("span", "version", "input_fingerprint")


class Executor(base_executor.BaseExecutor):
    """Builds the index over the candidate embeddings and exports the endpoint."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `Format-Serving/` and, beside it, the stock-operation exact twin.

        Args:
          input_dict: `towers` (the Trainer's model), `examples` (raw events, whose
            eval split gives the queries to tune with), `catalog` (raw catalogue
            examples, for titles, filters and withdrawn items), optionally
            `previous_catalog` (that of the training run: its items that `catalog`
            lacks are withdrawn).
          output_dict: `model`.
          exec_properties: `index`, canonical JSON of the section; `run_config`, the
            canonical JSON that the manifest records.

        Raises:
          InputError: an embedding is not finite, an item stands twice, or everything
            is withdrawn.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        index = settings.IndexSettings.from_json(exec_properties["index"])
        towers_uri = artifact_utils.get_single_uri(input_dict["towers"])
        model_uri = artifact_utils.get_single_uri(output_dict["model"])
        items = servable.read(_catalog_files(input_dict["catalog"]))
        if input_dict.get("previous_catalog"):
            before = servable.read(_catalog_files(input_dict["previous_catalog"]))
            items = servable.with_vanished(items, before)
        output_dict["model"][0].set_string_custom_property(
            artifacts.TRAINED_TOWERS_URI,
            artifacts.trained_towers_uri(input_dict["towers"][0]),
        )
        eval_uri = artifact_utils.get_split_uri(input_dict["examples"], features.EVAL)
        build_endpoint(
            path_utils.serving_model_path(towers_uri),
            tf.io.gfile.glob(os.path.join(eval_uri, "*")),
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
        )


def _catalog_files(artifacts: list[types.Artifact]) -> list[str]:
    uri = artifact_utils.get_split_uri(artifacts, features.CATALOG)
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


def build_endpoint(
    towers_dir: str,
    query_files: list[str],
    items: Mapping[bytes, catalog.Item],
    index: settings.IndexSettings,
    origin: dict[str, Any],
    serving_dir: str,
    exact_dir: str,
) -> dict[str, Any]:
    """Exports the endpoint and its exact twin; returns the manifest.

    Args:
      towers_dir: the Trainer's SavedModel.
      query_files: raw event examples whose labels become tuning queries.
      items: the catalogue.
      index: the section.
      origin: what the manifest records of configuration and data.
      serving_dir: directory of the servable model.
      exact_dir: directory of the twin.
    """
    towers = tf.saved_model.load(towers_dir)
    candidates = towers.candidates()
    all_ids = candidates["item_id"].numpy()
    scann_index.check_embeddings(candidates["embedding"].numpy(), all_ids)
    set_user_control(towers, index.user_control)
    rows = servable.rows(all_ids, items)
    embedding = candidates["embedding"].numpy()[rows]
    layer, described = None, {"kind": "exact", "recall": 1.0}
    started = time.monotonic()
    if not scann_index.wants_exact_search(len(embedding), index):
        layer, described = _tuned_index(towers, embedding, query_files, index)
    logging.info("index: %s", described)
    lines = catalog.lines(items, all_ids.tolist())
    content = {
        "model_id": digest.model_id(towers_dir, embedding, lines, index),
        "num_candidates": len(embedding),
        "num_withdrawn": len(all_ids) - len(embedding),
        # They are found like any other, with a score of 0 from each query.
        "num_zero_vectors": int((~embedding.any(axis=1)).sum()),
        "index": described,
        "index_build_sec": round(time.monotonic() - started, 3),
        "signatures": {
            signature.DEFAULT_SIGNATURE: signature.REQUEST_INPUTS,
            signature.FILTERED_SIGNATURE: signature.FILTERED_INPUTS,
        },
        **origin,
    }
    for directory, search in ((serving_dir, layer), (exact_dir, None)):
        endpoint.export(
            endpoint.RetrievalEndpoint(towers, search, rows, items), directory
        )
        manifest.write(directory, content)
        catalog.write(directory, lines)
    return content


def set_user_control(towers: Any, user_control: float) -> None:
    """Sets the strength that is served; says so where it cannot have an effect."""
    towers.user_control.assign(user_control)
    if user_control != 1.0 and not towers.has_avoidance_path:
        logging.warning(
            "index.user_control = %s has no effect: these towers were trained without "
            "an avoidance path, which `model.negative_signal` 'feature_and_label' with "
            "`train.similar_set_weight` above 0 makes",
            user_control,
        )


def _tuned_index(
    towers: Any,
    embedding: np.ndarray,
    query_files: list[str],
    index: settings.IndexSettings,
) -> tuple[scann_index.TunableScann | None, dict[str, Any]]:
    query = tuning_queries(towers, embedding, query_files, index)
    result = tuning.tune(embedding, query, index)
    if result.layer is None:
        logging.warning("exact search: %s", result.reason)
    return result.layer, result.to_dict()


def tuning_queries(
    towers: Any,
    embedding: np.ndarray,
    query_files: list[str],
    index: settings.IndexSettings,
) -> np.ndarray:
    """Returns the query embeddings of held-out histories, [num_queries, dim].

    An empty eval split leaves the candidates themselves as queries.
    """
    targets = held_out.targets(
        held_out.read_windows(query_files), 2 * index.tuning_queries, index.seed
    )
    if not targets:
        rng = np.random.default_rng(index.seed)
        size = min(len(embedding), 2 * index.tuning_queries)
        return embedding[rng.choice(len(embedding), size, replace=False)]
    queries = []
    for start in range(0, len(targets), 256):
        arrays = held_out.request_arrays(targets[start : start + 256])
        item_id, action, timestamp, value = arrays
        answer = towers.embed_query(
            tf.constant(item_id, tf.string),
            tf.constant(action, tf.string),
            tf.constant(timestamp),
            tf.constant(value),
        )
        queries.append(answer["query_embedding"].numpy())
    return np.concatenate(queries)
