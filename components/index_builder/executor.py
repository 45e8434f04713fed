"""Executor of IndexBuilder: towers and catalogue in, servable model out."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.index_builder import (
    endpoint,
    held_out,
    scann_index,
    served_model,
    tuning,
)
from schema import features, settings

_CATALOG_SPEC = {
    features.ITEM_ID: tf.io.FixedLenFeature([], tf.string),
    features.CREATOR_ID: tf.io.RaggedFeature(tf.string),
    features.CATEGORIES: tf.io.RaggedFeature(tf.string),
    features.TITLE: tf.io.RaggedFeature(tf.string),
}


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
            examples, for titles).
          output_dict: `model`.
          exec_properties: `index`, canonical JSON of the section; `run_config`, the
            canonical JSON that the manifest records.

        Raises:
          InputError: an embedding is not finite.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        index = settings.IndexSettings.from_json(exec_properties["index"])
        towers_uri = artifact_utils.get_single_uri(input_dict["towers"])
        model_uri = artifact_utils.get_single_uri(output_dict["model"])
        catalog_uri = artifact_utils.get_split_uri(
            input_dict["catalog"], features.CATALOG
        )
        eval_uri = artifact_utils.get_split_uri(input_dict["examples"], features.EVAL)
        build_endpoint(
            path_utils.serving_model_path(towers_uri),
            tf.io.gfile.glob(os.path.join(eval_uri, "*")),
            tf.io.gfile.glob(os.path.join(catalog_uri, "*")),
            index,
            json.loads(exec_properties["run_config"]),
            path_utils.serving_model_dir(model_uri),
            os.path.join(model_uri, served_model.EXACT_TWIN),
        )


def build_endpoint(
    towers_dir: str,
    query_files: list[str],
    catalog_files: list[str],
    index: settings.IndexSettings,
    run_config: dict[str, Any],
    serving_dir: str,
    exact_dir: str,
) -> dict[str, Any]:
    """Exports the endpoint and its exact twin; returns the manifest.

    Args:
      towers_dir: the Trainer's SavedModel.
      query_files: raw event examples whose labels become tuning queries.
      catalog_files: raw catalogue examples.
      index: the section.
      run_config: what the manifest records of the configuration.
      serving_dir: directory of the servable model.
      exact_dir: directory of the twin.
    """
    towers = tf.saved_model.load(towers_dir)
    candidates = towers.candidates()
    embedding = candidates["embedding"].numpy()
    item_id = candidates["item_id"].numpy()
    scann_index.check_embeddings(embedding, item_id)
    layer, described = None, {"kind": "exact", "recall": 1.0}
    if not scann_index.wants_exact_search(len(embedding), index):
        layer, described = _tuned_index(towers, embedding, query_files, index)
    logging.info("index: %s", described)
    manifest = {
        "model_id": model_id(towers_dir, embedding, item_id, described),
        "num_candidates": len(embedding),
        "index": described,
        "config": run_config,
    }
    endpoint.export(endpoint.RetrievalEndpoint(towers, layer), serving_dir)
    endpoint.export(endpoint.RetrievalEndpoint(towers, None), exact_dir)
    for directory in (serving_dir, exact_dir):
        _write(
            os.path.join(directory, served_model.MANIFEST_FILE),
            json.dumps(manifest, indent=1, sort_keys=True),
        )
        _write(
            os.path.join(directory, served_model.CATALOG_FILE),
            "".join(catalog_lines(catalog_files, set(item_id.tolist()))),
        )
    return manifest


def _tuned_index(
    towers: Any,
    embedding: np.ndarray,
    query_files: list[str],
    index: settings.IndexSettings,
) -> tuple[scann_index.TunableScann | None, dict[str, Any]]:
    leaves = scann_index.num_leaves(len(embedding), index)
    layer = scann_index.build(embedding, leaves)
    query = tuning_queries(towers, embedding, query_files, index)
    result = tuning.tune(layer, leaves, embedding, query, index)
    described = {
        "kind": "exact" if result.effort is None else "scann",
        "num_leaves": leaves,
        **result.to_dict(),
    }
    if result.effort is None:
        logging.warning("no setting reaches the recall target: exact search")
        return None, described
    layer.effort = result.effort
    return layer, described


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
            served_model.string_tensor(item_id),
            served_model.string_tensor(action),
            tf.constant(timestamp),
            tf.constant(value),
        )
        queries.append(answer["query_embedding"].numpy())
    return np.concatenate(queries)


def model_id(
    towers_dir: str,
    embedding: np.ndarray,
    item_id: np.ndarray,
    index: dict[str, Any],
) -> str:
    """Returns the digest that ties reports to the model they were measured on."""
    digest = hashlib.sha256()
    variables = os.path.join(towers_dir, "variables", "variables.data-00000-of-00001")
    with tf.io.gfile.GFile(variables, "rb") as file:
        digest.update(file.read())
    digest.update(embedding.tobytes())
    digest.update(b"\0".join(item_id.tolist()))
    digest.update(json.dumps(index, sort_keys=True).encode())
    return digest.hexdigest()[:32]


def catalog_lines(files: list[str], candidates: set[bytes]) -> list[str]:
    """Returns one JSON line an item, sorted by id; log-only items have no features."""
    items: dict[bytes, str] = {}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    for serialized in records.batch(10_000):
        parsed = tf.io.parse_example(serialized, _CATALOG_SPEC)
        columns = {name: tensor for name, tensor in parsed.items()}
        ids = columns.pop(features.ITEM_ID).numpy().tolist()
        creators = columns[features.CREATOR_ID].to_list()
        categories = columns[features.CATEGORIES].to_list()
        titles = columns[features.TITLE].to_list()
        for item, creator, category, title in zip(
            ids, creators, categories, titles, strict=True
        ):
            items[item] = _line(item, creator, category, title)
    for item in candidates - items.keys():
        items[item] = _line(item, [], [], [])
    return [items[item] for item in sorted(items)]


def _line(
    item: bytes, creator: list[bytes], category: list[bytes], title: list[bytes]
) -> str:
    entry = {
        "item_id": item.decode(),
        "title": title[0].decode() if title else "",
        "creator_id": creator[0].decode() if creator else "",
        "categories": [c.decode() for c in category],
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _write(path: str, text: str) -> None:
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(text)
