"""A small world whose truth is known, and the way of a model through it to a verdict.

Each user likes two clusters of `planted_towers` and has disliked a third; those who
judge like two as well. All goes through the real index, endpoint, evaluation,
simulation, canary and gate.
"""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from components import artifacts
from components.evaluation import config as evaluation_config
from components.evaluation import evaluate
from components.index_builder import build, servable
from components.promotion_gate import demands, rules
from components.responsiveness import batches, config, measurement, recommend
from components.serving_check import canary, check
from schema import features, settings
from serving.bundle import catalog, integrity, manifest
from tests import builders
from tests.components import tiny_pipeline
from tests.components.planted_towers import (
    CLUSTER,
    IDS,
    NUM_CLUSTERS,
    NUM_ITEMS,
    NUM_SETS,
    SET,
)

NUM_USERS = 80
MAX_LENGTH = 30
NUM_JUDGES = 120
EXAMPLES = "/run/examples/1"
POLICY = settings.GateSettings(
    min_recall_at_10=0.14,
    min_kept=0.0,
    min_specificity=None,
    max_collateral_gain=None,
    lasting_gap_ms=None,
)
"""Ten of 240 by chance are .04; ten of the sixty liked items are .17 or more. A slate
is of one cluster; a dislike takes all of it, and the user's other one takes its place.
"""


def windows(seed=2):
    """Training histories of twelve, and test windows with a like and a dislike."""
    rng = np.random.default_rng(seed)
    train, test = [], []
    for user in range(NUM_USERS):
        first, second, averse = rng.choice(NUM_CLUSTERS, 3, replace=False)
        liked = rng.permutation(np.flatnonzero(np.isin(CLUSTER, [first, second])))
        disliked = rng.permutation(np.flatnonzero(averse == CLUSTER))
        history = [(i, b"view") for i in liked[:5]] + [(disliked[0], b"dislike")]
        history += [(i, b"like") for i in liked[5:11]]
        later = [(liked[11], b"like"), (disliked[1], b"dislike")]
        train.append(_window(user, history, 0))
        test.append(_window(user, [*history, *later], len(history)))
    return train, test


def judges(seed=4):
    """Histories of twenty-four items, of users of whom nothing is learnt."""
    rng = np.random.default_rng(seed)
    found = []
    for user in range(NUM_JUDGES):
        both = rng.choice(NUM_CLUSTERS, 2, replace=False)
        liked = rng.permutation(np.flatnonzero(np.isin(CLUSTER, both)))[:24]
        found.append(_window(NUM_USERS + user, [(i, b"like") for i in liked], 0))
    return found


def _window(user, elements, first_label):
    return tiny_pipeline.Window(
        user_id=b"u%d" % user,
        item_id=[IDS[i] for i, _ in elements],
        timestamp=[1_700_000_000_000 + 60_000 * t for t in range(len(elements))],
        action=[action for _, action in elements],
        value=[float("nan")] * len(elements),
        is_label=[int(n >= first_label) for n in range(len(elements))],
    )


class World:
    """The log on disk, and the way from towers to a verdict."""

    def __init__(self, root):
        self.root = str(root)
        train, test = windows()
        self.train = self._write("Split-train", [w.columns() for w in train])
        self.test = self._write("Split-test", [w.columns() for w in test])
        self.judge = self._write("Split-judge", [w.columns() for w in judges()])
        self.catalog = self._write("Split-catalog", self._items())
        items = [item for window in train for item in window.item_id]
        self.item_count = {item: items.count(item) for item in set(items)}
        self._built = 0

    def _write(self, split, rows):
        folder = os.path.join(self.root, "examples", split)
        os.makedirs(folder, exist_ok=True)
        records = [tiny_pipeline.serialized(row) for row in rows]
        return tiny_pipeline.write_records(os.path.join(folder, "part.gz"), records)

    def _items(self):
        return [
            {
                features.ITEM_ID: [IDS[n]],
                features.CREATOR_ID: [b"c%d" % SET[n]],
                features.CATEGORIES: [
                    b"kind %d" % CLUSTER[n],
                    b"mood %d" % (SET[n] % NUM_SETS),
                ],
                features.TITLE: [b"Title %d" % n],
                features.ATTRIBUTES: [],
                features.CREATED_AT: [],
            }
            for n in range(NUM_ITEMS)
        ]

    def build(self, towers):
        """The folder of IndexBuilder's model artifact for exported towers."""
        self._built += 1
        folder = os.path.join(self.root, f"model_{self._built}")
        exported = os.path.join(folder, "towers")
        tf.saved_model.save(
            towers, exported, signatures={"serving_default": towers.embed_query}
        )
        build.build_endpoint(
            exported,
            [self.test],
            servable.read([self.catalog]),
            settings.IndexSettings(),
            {"made_by": "tests"},
            os.path.join(folder, "Format-Serving"),
            os.path.join(folder, artifacts.EXACT_TWIN),
        )
        return folder

    def evidence(self, folder):
        """What the gate is shown of a model."""
        serving = os.path.join(folder, "Format-Serving")
        evaluated = evaluate.evaluate(
            evaluate.Inputs(
                [self.test],
                [self.train],
                self.item_count,
                serving,
                os.path.join(folder, artifacts.EXACT_TWIN),
            ),
            evaluation_config.EvaluationConfig(
                feedback=tiny_pipeline.FEEDBACK,
                evaluation=settings.EvaluationSettings(
                    top_k=(10,), bootstrap_samples=200
                ),
            ),
        )
        model = recommend.load(serving)
        simulated = measurement.measure(
            model,
            [self.train],
            [self.judge],
            config.SimulationConfig(
                feedback=tiny_pipeline.FEEDBACK,
                responsiveness=settings.ResponsivenessSettings(
                    simulations=80,
                    trajectory_length=5,
                    cooccurrence_clusters=8,
                    treatment_actions=("dislike",),
                    control_value=None,
                    probe_simulations=80,
                    decay_steps=0,
                    doses=(1,),
                    persistence_events=(5,),
                    persistence_gaps_ms=(),
                    bootstrap_samples=200,
                ),
                max_length=MAX_LENGTH,
            ),
            batches.run_in_process(recommend.through(model, MAX_LENGTH)),
        )
        described = manifest.read(serving)
        examples = os.path.join(self.root, "examples")
        looked_at = {"examples": NUM_USERS, "anomalies": {}}
        sound = dict.fromkeys(("train", "catalog"), looked_at)
        return builders.evidence(
            evaluation=evaluated.report,
            responsiveness=simulated.model_copy(update={"examples_uri": examples}),
            serving_check=self._serving_check(folder, described),
            event_anomalies=sound,
            catalog_anomalies=sound,
            model_id=described["model_id"],
            model_digest=integrity.require(serving),
            examples_uri=examples,
            grounds=builders.grounds(*demands.supported(catalog.read(serving))),
        )

    def _serving_check(self, folder, described):
        """The canary in this process: a fresh one would load TensorFlow once more."""
        train, _ = windows()
        path = os.path.join(self.root, "requests.npz")
        np.savez(
            path,
            item_id=np.array([w.item_id for w in train[:10]]),
            action=np.array([w.action for w in train[:10]]),
            timestamp=np.array([w.timestamp for w in train[:10]]),
            value=np.array([w.value for w in train[:10]], np.float32),
        )
        twin = os.path.join(folder, artifacts.EXACT_TWIN)
        seen = canary.run(os.path.join(folder, "Format-Serving"), twin, path)
        policy = settings.ServingCheckSettings(max_latency_p99_ms=60_000.0)
        return {
            "model_id": described["model_id"],
            "requests": seen["requests"],
            "model_digest": seen["model_digest"],
            "failures": check.judge(
                seen, described["num_candidates"], MAX_LENGTH, policy
            ),
        }

    def verdict(self, folder):
        """The gate's decision on a model."""
        return rules.decide(self.evidence(folder), POLICY)
