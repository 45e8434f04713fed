"""Trains RecBole's SASRec or GRU4Rec: `... benchmarks.learning.recbole_contender TASK`.

RecBole's own dataset, augmentation (one example a prefix), model, loss and training
epoch. Ours are only the split, which must be the same for all, the early stopping and
the lists.
"""

from __future__ import annotations

import copy
import os
import pathlib
import sys
from typing import Any

import numpy as np
import torch
from recbole.config import Config
from recbole.data import data_preparation
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction
from recbole.utils import get_model, get_trainer, init_seed

from benchmarks.learning import log as neutral
from benchmarks.learning import metrics, task

_NAME = "prepared"
_SPLIT = "held_out_in"
_MODELS = {"recbole_sasrec": "SASRec", "recbole_gru4rec": "GRU4Rec"}


class PreparedDataset(SequentialDataset):
    """RecBole's dataset with the prepared log's split instead of its own."""

    def leave_one_out(self, group_by: str, leave_one_mode: str) -> list[Any]:
        """Returns the train, eval and test datasets, by the column of the log.

        RecBole's own rule would put the eval target of users with three interactions
        into the train split.
        """
        split = self.inter_feat[_SPLIT].long()
        kept = ("user_id", "item_id", "item_id_list", "item_length")
        max_rows = self.config["max_steps"] * self.config["train_batch_size"]
        datasets = []
        for wanted in neutral.SPLITS:
            rows = torch.nonzero(split == wanted)[:, 0]
            if wanted == neutral.TRAIN and max_rows:
                rows = rows[torch.randperm(len(rows))[:max_rows]]
            chosen = {name: self.inter_feat[name][rows] for name in kept}
            datasets.append(self.copy(Interaction(chosen)))
        return datasets


def write_atomic_file(log: neutral.Log, folder: pathlib.Path) -> None:
    """Writes the log as RecBole's `.inter` file; time is the order within a user."""
    user = log.user_of(np.arange(len(log.item)))
    order = np.arange(len(log.item)) - log.user_begin[user]
    (folder / _NAME).mkdir(parents=True, exist_ok=True)
    with open(folder / _NAME / f"{_NAME}.inter", "w", encoding="ascii") as file:
        file.write(f"user_id:token\titem_id:token\torder:float\t{_SPLIT}:float\n")
        for row in zip(user, log.item, order, log.split, strict=True):
            file.write("\t".join(str(int(value)) for value in row) + "\n")


def recbole_config(job: task.Task, folder: pathlib.Path) -> Config:
    """Returns RecBole's configuration; what the task does not name stays its default.

    SASRec knows one width. It gets the embedding's, and the ratio of RecBole's own
    defaults for the feed-forward layer.
    """
    values: dict[str, Any] = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder / "saved"),
        "load_col": {"inter": ["user_id", "item_id", "order", _SPLIT]},
        "TIME_FIELD": "order",
        "MAX_ITEM_LIST_LENGTH": job.prefix_length,
        "eval_args": {
            "split": {"LS": "valid_and_test"},
            "order": "TO",
            "group_by": "user",
            "mode": "full",
        },
        "train_neg_sample_args": None,
        "train_batch_size": job.batch_examples,
        "learning_rate": job.learning_rate,
        "loss_type": "CE",
        "max_steps": job.max_steps,
        "use_gpu": False,
        "worker": 0,
        "show_progress": False,
        "state": "ERROR",
        "seed": job.seed,
        "reproducibility": True,
    }
    if job.contender == "recbole_sasrec":
        values |= {
            "hidden_size": job.embedding_dim,
            "inner_size": 4 * job.embedding_dim,
            "n_layers": job.num_layers,
            "n_heads": job.num_heads,
            "hidden_dropout_prob": job.dropout,
            "attn_dropout_prob": job.dropout,
        }
    else:
        values |= {
            "embedding_size": job.embedding_dim,
            "hidden_size": job.hidden_dim,
            "num_layers": job.num_layers,
            "dropout_prob": job.dropout,
        }
    sys.argv = sys.argv[:1]  # RecBole would read our arguments as its own.
    return Config(_MODELS[job.contender], _NAME, config_dict=values)


@torch.no_grad()
def lists(
    model: torch.nn.Module, log: neutral.Log, split: int, job: task.Task, ids: Any
) -> np.ndarray:
    """Returns the [targets, 100] best unseen candidates of a split's targets.

    Args:
      model: RecBole's.
      log: the prepared log.
      split: EVAL or TEST.
      job: gives the window.
      ids: [items + 1] RecBole's id of each candidate, and of the pad.
    """
    model.eval()
    target = log.targets(split)
    found = []
    for chosen in np.array_split(target, max(1, len(target) // 256)):
        item, length = log.histories(chosen, job.prefix_length)
        scores = model.full_sort_predict(
            Interaction(
                {
                    "item_id_list": torch.from_numpy(ids[item]),
                    "item_length": torch.from_numpy(length),
                }
            )
        )
        found.append(neutral.top_unseen(log, chosen, scores.numpy()[:, ids[:-1]]))
    return np.concatenate(found)


def run(job: task.Task) -> None:
    """Trains RecBole's model as the task says and writes its result."""
    torch.set_num_threads(job.threads)
    folder = pathlib.Path(job.output) / "recbole"
    log = neutral.load(job.data)
    write_atomic_file(log, folder)
    os.chdir(folder)  # RecBole leaves logs where it runs.
    config = recbole_config(job, folder)
    init_seed(config["seed"], config["reproducibility"])
    train_data, _, _ = data_preparation(config, PreparedDataset(config))
    init_seed(config["seed"], config["reproducibility"])
    model = get_model(config["model"])(config, train_data.dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    id_of = train_data.dataset.field2token_id["item_id"]
    ids = np.array([*(id_of[str(i)] for i in range(log.num_items)), 0])

    stopwatch = task.Stopwatch()
    monitored: list[float] = []
    best = None
    for epoch in range(job.epochs):
        stopwatch.start()
        trainer._train_epoch(train_data, epoch)
        stopwatch.stop(len(train_data.dataset))
        if job.measure == "speed":
            continue
        found = lists(model, log, neutral.EVAL, job, ids)
        monitored.append(metrics.monitored(log, found))
        if monitored[-1] == max(monitored):
            best = copy.deepcopy(model.state_dict())
        if task.should_stop(monitored, job.patience) or task.is_over_budget(job):
            break
    if best is None:
        task.answer(job, stopwatch)
        return
    model.load_state_dict(best)
    both = {s: lists(model, log, s, job, ids) for s in (neutral.EVAL, neutral.TEST)}
    task.answer(job, stopwatch, both, monitored=monitored)


if __name__ == "__main__":
    run(task.read(sys.argv[1]))
