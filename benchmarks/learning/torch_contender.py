"""Trains a PyTorch peer: `python -m benchmarks.learning.torch_contender TASK`."""

from __future__ import annotations

import copy
import sys

import numpy as np
import torch

from benchmarks.learning import log as neutral
from benchmarks.learning import metrics, task, torch_models


def train_epoch(
    model: torch_models.NextItem,
    optimizer: torch.optim.Optimizer,
    item: torch.Tensor,
    is_label: torch.Tensor,
    batch_windows: int,
) -> int:
    """Trains one epoch and returns how many positions it learnt from."""
    model.train()
    length = (item != model.num_items).sum(dim=1)
    for chosen in torch.randperm(len(item)).split(batch_windows):
        # No step is longer than its longest window.
        longest = int(length[chosen].max())
        optimizer.zero_grad(set_to_none=True)
        model.loss(item[chosen, :longest], is_label[chosen, :longest]).backward()
        optimizer.step()
    return int(is_label.sum())


@torch.no_grad()
def lists(
    model: torch_models.NextItem, log: neutral.Log, split: int, max_length: int
) -> np.ndarray:
    """Returns the [targets, 100] best unseen candidates of a split's targets."""
    model.eval()
    target = log.targets(split)
    weight = model.embedding.weight[: log.num_items]
    found = []
    for chosen in np.array_split(target, max(1, len(target) // 256)):
        item, length = log.histories(chosen, max_length)
        states = model.states(torch.from_numpy(item))
        query = states[torch.arange(len(item)), torch.from_numpy(length)]
        found.append(neutral.top_unseen(log, chosen, (query @ weight.T).numpy()))
    return np.concatenate(found)


def run(job: task.Task) -> None:
    """Trains the model of the task and writes its result."""
    torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    log = neutral.load(job.data)
    model = torch_models.build(
        job.contender,
        log.num_items,
        job.embedding_dim,
        job.hidden_dim,
        job.num_layers,
        job.num_heads,
        job.max_length,
        job.dropout,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=job.learning_rate)
    item, is_label = (torch.from_numpy(a) for a in log.windows(job.max_length))
    stopwatch = task.Stopwatch()
    monitored: list[float] = []
    best = None
    for _ in range(job.epochs):
        stopwatch.start()
        stopwatch.stop(train_epoch(model, optimizer, item, is_label, job.batch_windows))
        if job.measure == "speed":
            continue
        found = lists(model, log, neutral.EVAL, job.max_length)
        monitored.append(metrics.monitored(log, found))
        if monitored[-1] == max(monitored):
            best = copy.deepcopy(model.state_dict())
        if task.should_stop(monitored, job.patience) or task.is_over_budget(job):
            break
    if best is None:
        task.answer(job, stopwatch)
        return
    model.load_state_dict(best)
    both = {
        s: lists(model, log, s, job.max_length) for s in (neutral.EVAL, neutral.TEST)
    }
    task.answer(job, stopwatch, both, monitored=monitored)


if __name__ == "__main__":
    run(task.read(sys.argv[1]))
