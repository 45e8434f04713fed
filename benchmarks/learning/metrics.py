"""The one metric code: it reads the lists that contenders wrote, not their scores."""

from __future__ import annotations

import numpy as np

from benchmarks.learning.log import EVAL, TEST, Log

K = 10


def check_lists(log: Log, target: np.ndarray, lists: np.ndarray) -> None:
    """Checks that a contender played by the rules.

    Args:
      log: the log.
      target: [targets] elements.
      lists: [targets, k] int32 candidates, best first, -1 pads.

    Raises:
      ValueError: a list is missing, repeats a candidate, is short although candidates
        were left, or holds what the user had met.
    """
    if len(lists) != len(target):
        raise ValueError(f"expected {len(target)} lists; got {len(lists)}")
    if lists.max() >= log.num_items:
        raise ValueError(f"a list holds {lists.max()}, which is no candidate")
    begin = log.user_begin[log.user_of(target)]
    for row, (start, end) in enumerate(zip(begin, target, strict=True)):
        met = np.unique(log.item[start:end])
        own = lists[row][lists[row] >= 0]
        if len(np.unique(own)) != len(own):
            raise ValueError(f"list {row} holds a candidate twice")
        if np.isin(own, met).any():
            raise ValueError(f"list {row} holds a candidate of the user's history")
        expected = min(lists.shape[1], log.num_items - len(met))
        if len(own) != expected:
            raise ValueError(f"list {row} holds {len(own)} candidates, not {expected}")


def ranks(lists: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Returns the rank of each target in its list, 0 is best; the length: absent.

    Example:
      >>> ranks(np.array([[7, 3], [5, 9]]), np.array([3, 4]))
      array([1, 2])
    """
    hit = lists == item[:, None]
    return np.where(hit.any(axis=1), hit.argmax(axis=1), lists.shape[1])


def ndcg(rank: np.ndarray, k: int = K) -> np.ndarray:
    """Returns NDCG@k of each single-target list.

    Example:
      >>> ndcg(np.array([0, 2, 10]))   # 1, 1 / log2(4), beyond the cut
      array([1. , 0.5, 0. ])
    """
    return np.where(rank < k, 1.0 / np.log2(rank + 2.0), 0.0)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def measure(log: Log, split: int, lists: np.ndarray) -> dict[str, float | int | None]:
    """Returns the metrics of one split.

    Args:
      log: the log.
      split: EVAL or TEST.
      lists: [targets, k] int32, in the order of `log.targets(split)`.

    Returns:
      `recall@10` and `ndcg@10` over the positive targets; `all_recall@10` and
      `all_ndcg@10` over all targets whatever their polarity, the convention of
      published tables; `negative_ndcg@10`; `delta_ndcg@10`, positive minus negative;
      and the number of targets of each kind. None: no such target.
    """
    target = log.targets(split)
    rank = ranks(lists, log.item[target])
    gain, hit = ndcg(rank), (rank < K).astype(float)
    positive, negative = log.polarity[target] > 0, log.polarity[target] < 0
    on_positive, on_negative = _mean(gain[positive]), _mean(gain[negative])
    known = on_positive is not None and on_negative is not None
    return {
        "ndcg@10": on_positive,
        "recall@10": _mean(hit[positive]),
        "all_ndcg@10": _mean(gain),
        "all_recall@10": _mean(hit),
        "negative_ndcg@10": on_negative,
        "delta_ndcg@10": on_positive - on_negative if known else None,
        "targets": len(target),
        "positive_targets": int(positive.sum()),
        "negative_targets": int(negative.sum()),
    }


def monitored(log: Log, lists: np.ndarray) -> float:
    """Returns what early stopping and the grid look at: eval NDCG@10, all targets."""
    return measure(log, EVAL, lists)["all_ndcg@10"] or 0.0


def measure_both(
    log: Log, lists: dict[int, np.ndarray]
) -> dict[str, dict[str, float | int | None]]:
    """Returns the checked metrics of the eval and the test split."""
    for split, own in lists.items():
        check_lists(log, log.targets(split), own)
    return {
        "eval": measure(log, EVAL, lists[EVAL]),
        "test": measure(log, TEST, lists[TEST]),
    }
