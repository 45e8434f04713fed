"""Builds the served model: towers, catalogue and index become two SavedModels."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from components import held_out
from components.index_builder import (
    endpoint,
    identity,
    scann_index,
    servable,
    tuning,
    warmup,
)
from schema import settings
from serving.bundle import audience, catalog, integrity, signature


def build_endpoint(
    towers_dir: str,
    query_files: list[str],
    items: Mapping[bytes, catalog.Item],
    index: settings.IndexSettings,
    origin: dict[str, Any],
    serving_dir: str,
    exact_dir: str,
    audiences: Mapping[str, audience.Audience] | None = None,
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
      audiences: which items share theirs, for people; None: no file says so.
    """
    towers = tf.saved_model.load(towers_dir)
    candidates = towers.candidates()
    all_ids = candidates["item_id"].numpy()
    scann_index.check_embeddings(candidates["embedding"].numpy(), all_ids)
    set_user_control(towers, index.user_control)
    rows = servable.rows(all_ids, items)
    embedding = candidates["embedding"].numpy()[rows]
    layer, described = None, dict[str, Any](kind="exact", recall=1.0)
    started = time.monotonic()
    if not scann_index.wants_exact_search(len(embedding), index):
        query = tuning_queries(towers, embedding, query_files, index)
        result = tuning.tune(embedding, query, index)
        layer, described = result.layer, result.to_dict()
        if layer is None:
            logging.warning("exact search: %s", result.reason)
    logging.info("index: %s", described)
    lines = catalog.lines(items, all_ids.tolist())
    content = {
        "num_candidates": len(embedding),
        "num_withdrawn": len(all_ids) - len(embedding),
        # They are found like any other, with a score of 0 from each query.
        "num_zero_vectors": int((~embedding.any(axis=1)).sum()),
        "index": described,
        "index_build_sec": round(time.monotonic() - started, 3),
        "signatures": signature.INPUTS,
        **origin,
    }
    for directory, search in ((serving_dir, layer), (exact_dir, None)):
        endpoint.export(
            endpoint.RetrievalEndpoint(towers, search, rows, items), directory
        )
        warmup.write(directory, signature.INPUTS, all_ids[rows].tolist())
    content["model_id"] = model_id(serving_dir, exact_dir, lines, index)
    for directory in (serving_dir, exact_dir):
        catalog.write(directory, lines)
        if audiences is not None and directory == serving_dir:
            audience.write(directory, audience.lines(audiences))
        # It holds the digests of all others.
        integrity.write_manifest(directory, content)
    return content


def set_user_control(towers: Any, user_control: float) -> None:
    """Sets the strength that is served; says so where it cannot have an effect."""
    towers.user_control.assign(user_control)
    if user_control != 1.0 and not towers.has_avoidance_path:
        logging.warning(
            "index.user_control = %s has no effect: these towers were trained without "
            "an avoidance path, which `model.negative_signal` 'feature_and_label' with "
            "`model.avoidance_strength` above 0 makes",
            user_control,
        )


def tuning_queries(
    towers: Any,
    embedding: NDArray[np.float32],
    query_files: list[str],
    index: settings.IndexSettings,
) -> NDArray[np.float32]:
    """Returns the query embeddings of held-out histories, [num_queries, dim].

    An empty eval split leaves the candidates themselves as queries.
    """
    targets = held_out.targets(
        held_out.read_windows(query_files), 2 * index.tuning_queries, index.seed
    )
    if not targets:
        rng = np.random.default_rng(index.seed)
        size = min(len(embedding), 2 * index.tuning_queries)
        chosen: NDArray[np.float32] = rng.choice(embedding, size, replace=False)
        return chosen
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


def model_id(
    serving_dir: str,
    exact_dir: str,
    catalog_lines: Sequence[str],
    index: settings.IndexSettings,
) -> str:
    """Returns the digest that ties reports to the model they were measured on.

    It is one of all that answers: graph, weights, tables, vocabularies, index,
    catalogue, and what the index was asked to be. A model that is built and exported
    once more keeps it.

    Args:
      serving_dir: the servable model.
      exact_dir: its twin.
      catalog_lines: the catalogue that is exported with the model.
      index: the section.
    """
    digest = hashlib.sha256()
    digest.update(identity.of_answers(serving_dir).encode())
    digest.update(identity.of_answers(exact_dir).encode())
    digest.update("".join(catalog_lines).encode())
    digest.update(index.to_json().encode())
    return digest.hexdigest()[:32]
