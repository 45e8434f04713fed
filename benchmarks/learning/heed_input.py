"""Times Heed's input pipeline alone: `... benchmarks.learning.heed_input TASK`.

The same batches that the Trainer reads, with nobody to learn from them.
"""

from __future__ import annotations

import sys

import tensorflow as tf
import tensorflow_transform as tft

from benchmarks.learning import heed_contender, task
from benchmarks.learning import log as neutral
from components.trainer import input_fn
from schema import features


def run(job: task.Task) -> None:
    """Reads the epochs of the task and writes what they took."""
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    meta = heed_contender.read_meta(job)
    events = meta["uris"]["EventTransform"]
    transform_output = tft.TFTransformOutput(events["transform_graph"])
    vocabulary = transform_output.vocabulary_by_name(features.ITEM_VOCABULARY)
    files = f"{events['transformed_examples']}/Split-{features.TRAIN}/*"
    num_batches, epochs_from = input_fn.epochs(
        tf.io.gfile.glob(files),
        transform_output,
        input_fn.row_lookup(tf.constant(vocabulary).numpy()),
        job.batch_windows,
        job.max_length,
        job.seed,
    )
    log = neutral.load(job.data)
    batches = iter(epochs_from(0))
    stopwatch = task.Stopwatch()
    for _ in range(job.epochs):
        stopwatch.start()
        for _ in range(num_batches):
            next(batches)
        stopwatch.stop(log.num_train_labels)
    task.answer(job, stopwatch)


if __name__ == "__main__":
    run(task.read(sys.argv[1]))
