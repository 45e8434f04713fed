"""Holds the catalogue against the items of the log, and treats both by policy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from components.ingestion import counts, locations, shuffle
from components.item_catalog_gen import mapping
from schema import features, settings


def read_shards(path: str, num_shards: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yields (shard, ids) of the log's items; shards are those of the catalogue.

    Args:
      path: `items.parquet` of an ingestion report.
      num_shards: number of shards.
    """
    with locations.open_file(path) as file:
        ids = parquet.read_table(file)[features.ITEM_ID].combine_chunks()
    shard = shuffle.bucket_of(ids, num_shards)
    for index in np.unique(shard).tolist():
        chosen = ids.filter(pa.array(shard == index))
        yield index, chosen.cast(pa.binary()).to_pylist()


def apply(
    items: pa.Table, logged: pa.Array, data: settings.DataSettings
) -> tuple[pa.Table, counts.Counts]:
    """Returns the items under the policy, and how the two sides compare.

    Args:
      items: canonical items, each id once.
      logged: ids of the log, binary, each once.
      data: the policies.

    Returns:
      The items in their order; under `items_not_in_log` = withdraw those without an
      event are withdrawn; under `items_not_in_catalog` = withdraw the log's other
      items follow, withdrawn. And the counts of both.
    """
    ids = items[features.ITEM_ID].combine_chunks().flatten()
    in_log = np.asarray(compute.is_in(ids, logged))
    missing = logged.filter(compute.invert(compute.is_in(logged, ids)))
    found: counts.Counts = {
        "items_in_log": int(in_log.sum()),
        "items_not_in_log": int((~in_log).sum()),
        "log_items_not_in_catalog": len(missing),
    }
    if data.items_not_in_log == "withdraw":
        items = _withdraw(items, ~in_log)
    if data.items_not_in_catalog == "withdraw" and len(missing):
        added = mapping.only_ids(missing)
        items = pa.concat_tables([items, _withdraw(added, np.ones(len(added), bool))])
    return items, found


def _withdraw(items: pa.Table, chosen: NDArray[np.bool_]) -> pa.Table:
    column = items.column_names.index(features.WITHDRAWN)
    lengths = compute.list_value_length(items[features.WITHDRAWN])
    already = np.asarray(lengths.combine_chunks()) > 0
    return items.set_column(
        column, features.WITHDRAWN, mapping.withdrawn_lists(already | chosen)
    )
