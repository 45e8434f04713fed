"""How high the served lists rank the held-out targets, from `predictions.parquet`."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

from schema import errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIST_LENGTH = 100
"""Recommendations kept of every request."""
_COLUMNS = ("target_item_id", "target_polarity", "top_item_ids")
_BATCH_ROWS = 20_000
"""Rows in memory at once; 2 million item ids, some tens of megabytes."""


@dataclasses.dataclass(frozen=True)
class RankCurve:
    """The share of targets found among the first k, for every k."""

    num_targets: int
    found: tuple[int, ...]
    """[LIST_LENGTH] number of targets among the first k = 1, 2, ..."""

    def recall(self, k: int) -> float | None:
        """Returns the share of targets among the first k; None without targets.

        Example:
          >>> RankCurve(num_targets=4, found=(1, 2) + (2,) * 98).recall(2)
          0.5
        """
        return self.found[k - 1] / self.num_targets if self.num_targets else None


def read(path: pathlib.Path) -> dict[str, RankCurve]:
    """Returns the rank curve of each target polarity.

    Args:
      path: of a Parquet file with the columns `target_item_id`, `target_polarity` and
        `top_item_ids` (list, served order).

    Raises:
      InputError: the file is no Parquet file, or lacks a column.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from schema import untrusted_parquet

    untrusted_parquet.forbid_code()
    num_targets: dict[str, int] = {}
    at_rank: dict[str, NDArray[np.int64]] = {}
    try:
        with pq.ParquetFile(path) as file:
            lacking = [c for c in _COLUMNS if c not in file.schema_arrow.names]
            if lacking:
                raise errors.InputError(
                    f"{path}: expected the columns {', '.join(_COLUMNS)}; "
                    f"{', '.join(lacking)} is missing. Run the pipeline again"
                )
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(_COLUMNS)):
                rank = _ranks(batch)
                polarity = np.array(batch["target_polarity"].to_pylist(), object)
                for name in sorted(set(polarity)):
                    chosen = rank[polarity == name]
                    counts = np.bincount(chosen, minlength=LIST_LENGTH)
                    num_targets[name] = num_targets.get(name, 0) + len(chosen)
                    at_rank[name] = at_rank.get(name, 0) + counts[:LIST_LENGTH]
    except (pa.ArrowException, OSError) as error:
        raise errors.InputError(
            f"{path}: expected a Parquet file of served lists; {error}. Run the "
            "pipeline again, or take the file away to render without it"
        ) from error
    return {
        name: RankCurve(num_targets[name], tuple(np.cumsum(counts).tolist()))
        for name, counts in at_rank.items()
    }


def _ranks(batch: Any) -> NDArray[np.int64]:
    """Returns [rows] the 0-based rank of each target; LIST_LENGTH: not in the list."""
    import numpy as np
    import pyarrow.compute as pc

    lists = batch["top_item_ids"]
    row = pc.list_parent_indices(lists).to_numpy()
    served = pc.list_flatten(lists)
    length = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    start = np.cumsum(length) - length
    position = np.arange(len(row)) - start[row]
    hit = pc.equal(served, batch["target_item_id"].take(row))
    hit = pc.fill_null(hit, False).to_numpy(zero_copy_only=False)
    ranks = np.full(batch.num_rows, LIST_LENGTH, np.int64)
    np.minimum.at(ranks, row[hit], np.minimum(position[hit], LIST_LENGTH))
    return ranks
