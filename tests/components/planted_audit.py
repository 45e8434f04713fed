"""The way of a numpy model to the default gate: real audit, real relevance, real rules.

The world is that of `planted_world`, with real gaps, values, and lengths of histories:
each user likes two kinds of items and dislikes some of a third, and those who judge
like two as well.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np

from components import held_out
from components.evaluation import baselines, item_index, metrics, targets
from components.promotion_gate import rules
from components.responsiveness import batches, config, measurement, starts
from schema import reports, settings
from serving.bundle import catalog
from tests import builders
from tests.components.planted_models import Model
from tests.components.planted_towers import CLUSTER, IDS, NUM_CLUSTERS, NUM_ITEMS, SET

NUM_USERS, NUM_JUDGES = 120, 120
FURTHER_LIKES = 3
"""Held out of each user: by one alone, a sound model's recall is chance beside that of
popularity."""
FEEDBACK = settings.FeedbackSettings()
POLICY = settings.ResponsivenessSettings(
    simulations=NUM_USERS,
    trajectory_length=5,
    treatment_actions=("dislike",),
    probe_simulations=80,
    decay_steps=0,
    doses=(1,),
    persistence_events=(5, 10),
    persistence_gaps_ms=(86_400_000,),
    undoing_likes=1,
    neighbours=20,
    cooccurrence_clusters=8,
    bootstrap_samples=100,
)
CATALOGUE = {
    IDS[n]: catalog.Item(
        title=b"Title %d" % n,
        creator_id=b"c%d" % SET[n],
        categories=(b"kind %d" % CLUSTER[n], b"set %d" % SET[n]),
    )
    for n in range(NUM_ITEMS)
}


class World:
    """The log of one seed, and the verdict on a model of it."""

    def __init__(self, seed):
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        # Popularity differs within each kind: of four items one is met often.
        self.weight = np.where(np.arange(NUM_ITEMS) // NUM_CLUSTERS % 4 == 0, 4.0, 1.0)
        whole = [self._history(user) for user in range(NUM_USERS)]
        self.test = self._longer(whole)
        train = [_cut(window) for window in whole]
        labels = [(w.user_id, item) for w in train for item in w.item_id.tolist()]
        sets = Counter(a for w in train for a in w.action.tolist())
        log = starts.TrainingLog(
            tuple(train), tuple(labels), {"dislike": sets[b"dislike"]}, dict(sets)
        )
        self.count = log.item_counts
        count = np.array([self.count.get(item, 0) for item in IDS])
        self.popular = count / count.max()
        judging = [self._history(NUM_USERS + n, 24) for n in range(NUM_JUDGES)]
        pairs = [(w.user_id, item) for w in judging for item in w.item_id.tolist()]
        audit = measurement.Audit.of(
            CATALOGUE,
            log,
            pairs,
            {"model_id": builders.MODEL_ID, "num_candidates": NUM_ITEMS},
            config.SimulationConfig(
                feedback=FEEDBACK,
                responsiveness=POLICY.model_copy(update={"seed": seed}),
                max_length=50,
            ),
        )
        # What the gate asks by; the others cost as much again.
        asked = [
            by for by in audit.estimator.similarities
            if by.name in ("audience_nearest", *builders.FULL_CATALOGUE)
        ]  # fmt: skip
        estimator = dataclasses.replace(audit.estimator, similarities=tuple(asked))
        self.audit = dataclasses.replace(audit, estimator=estimator)

    def _history(self, user, liked=None):
        """A user's history; its last two elements are held out: a like, a dislike."""
        rng = self.rng
        length = int(rng.integers(9, 17)) if liked is None else liked
        first, second, averse = rng.choice(NUM_CLUSTERS, 3, replace=False)
        items = self._drawn(np.isin(CLUSTER, [first, second]), length + 1)
        bad = self._drawn(averse == CLUSTER, 2)
        actions = [b"view" if rng.random() < 0.6 else b"like" for _ in range(length)]
        at = int(rng.integers(1, length))
        row = [*items[:at], bad[0], *items[at:], bad[1]]
        done = [*actions[:at], b"dislike", *actions[at:], b"like", b"dislike"]
        if liked is not None:
            row, done = items[:-1], actions
        gaps = np.exp(rng.uniform(np.log(1e3), np.log(1e7), len(row))).astype(np.int64)
        value = np.where(rng.random(len(row)) < 0.5, rng.random(len(row)), np.nan)
        held_back = len(row) - 2 if liked is None else 0
        return held_out.Window(
            b"u%d" % user,
            item_id=np.array([IDS[n] for n in row], object),
            timestamp=1_700_000_000_000 + np.cumsum(gaps),
            action=np.array(done, object),
            value=value.astype(np.float32),
            is_label=np.arange(len(row)) >= held_back,
        )

    def _longer(self, windows):
        """Histories with further likes, held out as well."""
        rng = np.random.default_rng([self.seed, 5])
        found = []
        for window in windows:
            met = np.isin(IDS, window.item_id.astype(bytes))
            is_liked = window.action != b"dislike"
            liked = CLUSTER[np.isin(IDS, window.item_id[is_liked].astype(bytes))]
            new = self._drawn(np.isin(CLUSTER, liked) & ~met, FURTHER_LIKES, rng)
            after = np.cumsum(rng.integers(1_000, 1_000_000, FURTHER_LIKES))
            further = held_out.Window(
                window.user_id,
                item_id=np.array([IDS[n] for n in new], object),
                timestamp=window.timestamp[-1] + after,
                action=np.array([b"like"] * FURTHER_LIKES, object),
                value=np.full(FURTHER_LIKES, np.nan, np.float32),
                is_label=np.ones(FURTHER_LIKES, bool),
            )
            found.append(_joined(window, further))
        return found

    def _drawn(self, chosen, number, rng=None):
        weight = self.weight * chosen
        return (
            (rng or self.rng)
            .choice(NUM_ITEMS, number, replace=False, p=weight / weight.sum())
            .tolist()
        )

    def refused_by(self, fault=None, fit=True):
        """Rule to observation and hint, of those that the default gate refuses by."""
        model = Model(self.popular, self.seed, fault, fit)
        measured = self.audit.report(batches.run_in_process(model))
        evidence = builders.evidence(
            evaluation=self._relevance(model),
            responsiveness=measured.model_copy(
                update={
                    "examples_uri": builders.EXAMPLES_URI,
                    "model_digest": builders.MODEL_DIGEST,
                }
            ),
            grounds=builders.grounds(*builders.FULL_CATALOGUE),
        )
        verdict = rules.decide(evidence, settings.GateSettings())
        return {
            rule.name: f"{rule.observed} | {rule.hint}"
            for rule in verdict.rules
            if not rule.passed
        }

    def _relevance(self, model):
        found = held_out.targets(iter(self.test), 0, 1)
        index = item_index.ItemIndex(IDS)
        evaluation = settings.EvaluationSettings(top_k=(10,), bootstrap_samples=100)
        table = targets.TargetTable(found, index, FEEDBACK, evaluation)
        served = model(*held_out.request_arrays(found), table.list_length)
        rank = metrics.target_rank(index.encode(served), table.item)
        by_count = baselines.by_popularity(index.counts(self.count))
        lists = baselines.ordered_lists(by_count, table.history, table.list_length)
        popular = metrics.target_rank(lists, table.item)
        exact = reports.Interval(value=1.0, low=1.0, high=1.0, count=len(found))
        return reports.Evaluation(
            model_id=builders.MODEL_ID,
            model_digest=builders.MODEL_DIGEST,
            examples_uri=builders.EXAMPLES_URI,
            users=NUM_USERS,
            candidates=NUM_ITEMS,
            metrics={**table.relevance(rank), "index_recall@10": exact},
            baselines={
                "popularity": reports.Baseline(
                    metrics=table.relevance(popular),
                    differences=table.difference(rank, popular),
                )
            },
        )


def _joined(window, further):
    """A window, and what follows it."""
    parts = {
        name: np.concatenate([getattr(window, name), getattr(further, name)])
        for name in ("item_id", "timestamp", "action", "value", "is_label")
    }
    return held_out.Window(window.user_id, **parts)


def _cut(window):
    """A window without what is held out, all of it labels."""
    whole = starts.first(window, len(window.item_id) - 2)
    return held_out.Window(
        whole.user_id,
        item_id=whole.item_id,
        timestamp=whole.timestamp,
        action=whole.action,
        value=whole.value,
        is_label=np.ones(len(whole.item_id), bool),
    )
