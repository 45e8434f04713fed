"""What a search costs by count of the work in it, calibrated by a benchmark.

The choice of an index must come out the same in two identical runs, so no stop-watch
takes part in it. The prices are those of one core of the machine that
`python -m benchmarks.retrieval calibrate` ran on, between those of a hundred thousand
and of a million candidates (docs/adr/0020); only their ratios matter.
"""

from __future__ import annotations

_DIM = 64
"""Dimensions that the prices were measured at."""

EXACT_NS = 7.0
"""Scoring one candidate and passing it through top-k: `matmul`, then `top_k`."""
FIXED_NS = 8_000.0
"""One approximate search, however little it does."""
CENTROID_NS = 3.6
"""Scoring the centroid of one leaf."""
CODE_NS = {2: 1.15, 4: 0.92}
"""Scoring one candidate by its code, by dimensions in a block."""
REORDER_NS = 30.0
"""Fetching one candidate's vector and scoring it: memory, not arithmetic."""


def exact_ns(num_candidates: int, dim: int) -> float:
    """Returns the cost of exact search for one query, in nanoseconds of one core."""
    return EXACT_NS * num_candidates * dim / _DIM


def approximate_ns(
    num_candidates: int,
    dim: int,
    num_leaves: int,
    dims_per_block: int,
    leaves_searched: int,
    num_reordered: int,
) -> float:
    """Returns the cost of searching the index for one query, in nanoseconds.

    Args:
      num_candidates: size of the catalogue.
      dim: dimensions of an embedding.
      num_leaves: partitions.
      dims_per_block: dimensions that share a code; a key of `CODE_NS`.
      leaves_searched: partitions that are looked into.
      num_reordered: candidates that are scored exactly afterwards.
    """
    num_scored = num_candidates * leaves_searched / num_leaves
    of_dim = CENTROID_NS * num_leaves + CODE_NS[dims_per_block] * num_scored
    return FIXED_NS + of_dim * dim / _DIM + REORDER_NS * num_reordered
