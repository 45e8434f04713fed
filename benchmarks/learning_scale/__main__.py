"""A step costs the same in any catalogue: `python -m benchmarks.learning_scale`.

The sampled softmax of the default model on 10 thousand, 100 thousand and a million
items, each in a process of its own: CPU time of a step, of a validation and of a
checkpoint, and the largest memory of the process. Histories are drawn by a power law;
what they hold does not matter for the time.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

LENGTH = 100
BATCH = 32
WARM_UP_STEPS = 5
MEMORY_LIMIT_BYTES = 8 * 2**30


def measure(num_items: int, steps: int) -> dict[str, Any]:
    """Returns the figures of one catalogue, in seconds of CPU time and bytes."""
    import numpy as np
    import tensorflow as tf
    from scipy import sparse

    from components.trainer import candidates, compiled_model, input_fn
    from components.trainer import config as trainer_config
    from components.trainer.callbacks import epoch_end, validation
    from schema import features, settings

    rng = np.random.default_rng(1)
    table = candidates.CandidateTable(
        item_id=np.array([b"%d" % i for i in range(num_items)], object),
        num_trained=num_items,
        count=np.sort(rng.zipf(1.5, num_items).clip(1, 100_000))[::-1].astype(np.int64),
        creator_index=rng.integers(0, num_items // 20 + 1, num_items, np.int32),
        category_index=rng.integers(0, 30, (num_items, 8), np.int32),
        attribute_index=np.zeros((num_items, 1), np.int32),
        title_token=rng.integers(1, 2**31, (num_items, 8)),
        sizes=candidates.Sizes(num_items // 20 + 1, 30, 1),
    )
    config = trainer_config.TrainerConfig(
        feedback=settings.FeedbackSettings(),
        history=settings.HistorySettings(max_length=LENGTH),
        model=settings.ModelSettings(),
        train=settings.TrainSettings(softmax="sampled", batch_size=BATCH),
        control_action="view",
        control_value=1.0,
    )

    def batch() -> dict[str, tf.Tensor]:
        shape = (BATCH, LENGTH)
        row = (num_items * rng.random(shape) ** 3).astype(np.int32)
        ones = np.ones(shape, np.float32)
        return {
            input_fn.CANDIDATE_ROW: tf.constant(row),
            input_fn.IS_ELEMENT: tf.ones(shape, tf.bool),
            features.ACTION_SET: tf.constant(rng.choice([1, 2, 8], shape), tf.int64),
            features.VALUE: tf.constant(ones),
            features.VALUE_PRESENT: tf.constant(ones),
            features.LOG_GAP: tf.constant(ones),
            features.KEPT_LOG_GAP: tf.constant(ones),
            features.IS_LABEL: tf.ones(shape, tf.int64),
        }

    batches = [batch() for _ in range(8)]
    signature = {n: tf.TensorSpec(t.shape, t.dtype) for n, t in batches[0].items()}
    data = tf.data.Dataset.from_generator(
        lambda: iter(batches), output_signature=signature
    ).repeat()
    two_tower = compiled_model.build(table, config, steps, batches[0])
    step_sec: list[tuple[float, float]] = []

    class Watch(tf.keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self._cpu, self._wall = time.process_time(), time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            step_sec.append(
                (time.process_time() - self._cpu, time.perf_counter() - self._wall)
            )

    two_tower.fit(
        data,
        steps_per_epoch=steps + WARM_UP_STEPS,
        epochs=1,
        callbacks=[Watch()],
        verbose=0,
    )
    checked = validation.RankingValidation(
        tf.data.Dataset.from_generator(
            # One label a window, as under leave_last_out.
            lambda: ({**b, features.IS_LABEL: last_label} for b in batches * 40),
            output_signature=signature,
        ),
        config.train.validation_labels,
    )
    labels = np.zeros((BATCH, LENGTH), np.int64)
    labels[:, -1] = 1
    last_label = tf.constant(labels)
    checked.set_model(two_tower)

    def cpu_sec(call: Any) -> float:
        started = time.process_time()
        call()
        return time.process_time() - started

    with tempfile.TemporaryDirectory() as folder:
        state = epoch_end.TrainingState(folder, two_tower)

        # A hundred distinct items a user, most of them popular.
        users = max(1_000, num_items // 10)
        item = (num_items * rng.random(100 * users) ** 3).astype(np.int64)
        met = sparse.csr_matrix(
            (np.ones(len(item), np.float32), (item, np.repeat(np.arange(users), 100))),
            (num_items, users),
        )
        met.data[:] = 1.0
        embedding = two_tower.candidate_tower.embed_all().numpy()
        figures = {
            "codes_cpu_sec": cpu_sec(lambda: two_tower.avoidance.fit(met, embedding)),
            "validation_cpu_sec": cpu_sec(lambda: checked.on_epoch_end(0, {})),
            "checkpoint_cpu_sec": cpu_sec(lambda: state.save({"epoch": 1})),
            "checkpoint_bytes": sum(
                path.stat().st_size for path in pathlib.Path(folder).iterdir()
            ),
        }
    timed = step_sec[WARM_UP_STEPS:]
    return {
        "items": num_items,
        "step_cpu_sec": statistics.median(cpu for cpu, _ in timed),
        "step_wall_sec": statistics.median(wall for _, wall in timed),
        "positions_per_step": BATCH * LENGTH,
        **figures,
        "largest_memory_bytes": 1024
        * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def main() -> int:
    """Prints the table, writes the JSON; 1 if a million items leave the bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000]
    )
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.steps)))
        return 0

    from benchmarks.learning import report

    hardware = report.hardware()
    rows = []
    for num_items in arguments.items:
        command = [sys.executable, "-m", "benchmarks.learning_scale"]
        command += ["--one", str(num_items), "--steps", str(arguments.steps)]
        command += ["--output", str(arguments.output)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        row = rows[-1]
        print(
            f"{num_items:>9,} items: {1e3 * row['step_cpu_sec']:.0f} ms of CPU a step "
            f"({row['step_cpu_sec'] / rows[0]['step_cpu_sec']:.2f} of the smallest), "
            f"{row['codes_cpu_sec']:.0f} s for the codes of avoidance, "
            f"validation {row['validation_cpu_sec']:.1f} s, checkpoint "
            f"{row['checkpoint_cpu_sec']:.1f} s and "
            f"{row['checkpoint_bytes'] / 2**20:,.0f} MiB, "
            f"{row['largest_memory_bytes'] / 2**30:.2f} GiB",
            flush=True,
        )
    content = {"hardware": hardware, "steps": arguments.steps, "catalogues": rows}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    aside = arguments.output.with_suffix(".part")
    aside.write_text(json.dumps(content, indent=1), encoding="utf-8")
    aside.replace(arguments.output)
    is_within = all(r["largest_memory_bytes"] <= MEMORY_LIMIT_BYTES for r in rows)
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
