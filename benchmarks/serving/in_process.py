"""The same model called in this process, one request after the other.

TensorFlow has as many threads as the server gives it.

python -m benchmarks.serving.in_process VERSION_FOLDER NUM_ITEMS LENGTH SECONDS
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from benchmarks.serving import bodies, generator
from schema import settings
from serving.bundle import saved_model


def measure(folder: str, num_items: int, length: int, seconds: float) -> dict:
    """Returns the latencies of a lone caller without a server."""
    threads = settings.ServingSettings().intra_op_threads
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    model = saved_model.load(folder)
    asked = bodies.draw(num_items, length)
    for inputs in asked[:8]:
        model.predict(inputs)
    took = []
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        model.predict(asked[len(took) % len(asked)])
        took.append(time.perf_counter() - begun)
    return {
        "answered_per_sec": round(len(took) / sum(took), 1),
        **generator.quantiles(np.array(took)),
    }


if __name__ == "__main__":
    place, *numbers = sys.argv[1:]
    found = measure(place, int(numbers[0]), int(numbers[1]), float(numbers[2]))
    print(json.dumps(found))
