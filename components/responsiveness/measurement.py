"""The whole measurement: plan, batches, and the content of `responsiveness.json`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from components import progress
from components.responsiveness import (
    batches,
    effect,
    explanations,
    probes,
    report,
    similarity,
    starts,
)
from components.responsiveness import config as simulation_config
from components.responsiveness.histories import Start
from schema import errors, settings
from serving.bundle import catalog, saved_model

RunBatches = Callable[[Sequence[batches.Batch], batches.Plan], batches.Slates]
"""Asks the model for every batch: in this process, or on Beam."""


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """What the measurement knows of the model beside its answers."""

    model_id: str | None
    num_candidates: int
    catalog: dict[bytes, catalog.Item]


def facts_of(model: saved_model.RetrievalModel) -> ModelFacts:
    """Returns what the model's files tell."""
    items = catalog.read(model.directory)
    manifest = model.manifest
    return ModelFacts(
        manifest.get("model_id"), manifest.get("num_candidates", len(items)), items
    )


def load_model(model_dir: str) -> saved_model.RetrievalModel:
    """Returns the exported model.

    Raises:
      InputError: it lacks the signature that requests need.
    """
    try:
        return saved_model.load_exported(model_dir)
    except errors.InputError as error:
        raise errors.InputError(
            f"{error}: nothing can be asked of it; export it with IndexBuilder"
        ) from error


def in_this_process(
    model: saved_model.RetrievalModel, max_length: int
) -> Callable[[Sequence[batches.Batch], batches.Plan], batches.Slates]:
    """Returns what runs batches one after the other, with progress."""
    recommend = batches.model_recommend(model, max_length)

    def run(given: Sequence[batches.Batch], plan: batches.Plan) -> batches.Slates:
        total, done = len(given) * plan.policy.trajectory_length, 0

        def on_step() -> None:
            nonlocal done
            done += 1
            progress.report(done, total, "simulated steps")

        parts = [batches.run(recommend, batch, plan, on_step) for batch in given]
        return batches.concatenate(parts)

    return run


def measure(
    facts: ModelFacts,
    train_files: Sequence[str],
    config: simulation_config.SimulationConfig,
    run_batches: RunBatches,
) -> dict[str, Any]:
    """Simulates, measures every similarity and treatment, and returns the report.

    Args:
      facts: of the model.
      train_files: raw event examples of the train split.
      config: the simulation's part of the configuration.
      run_batches: asks the model.

    Raises:
      InputError: the train split is empty, or the catalogue too small.
    """
    policy, feedback = config.responsiveness, config.feedback
    log = starts.read(train_files, policy.simulations, policy.seed)
    similarities = similarity.of_catalog(facts.catalog, log.pairs, policy)
    judge = report.Judge(
        similarities,
        effect.Resampling(
            policy.bootstrap_samples, policy.confidence, policy.seed, policy.min_users
        ),
    )
    known = explanations.measurable(policy, feedback)
    explicit = [
        a
        for a in known
        if feedback.actions[a].explicit and a in feedback.negative_names()
    ]
    content: dict[str, Any] = {
        "model_id": facts.model_id,
        "simulations": policy.simulations,
        "trajectory_length": policy.trajectory_length,
        "slate_size": policy.slate_size,
        "control_action": policy.control_action,
        "explicit_actions": explicit,
        "action_counts": {a: log.action_counts.get(a, 0) for a in sorted(known)},
        "distinct_users": len(log.windows),
        "similarities": report.described(similarities),
        "warnings": [],
        "examples": [],
    }
    nothing_yet = explanations.unmeasured(policy, feedback, similarities, "")
    if not known:
        return {**content, **nothing_yet}
    windows = starts.with_room(log.windows, facts.num_candidates, policy)
    content["distinct_users"] = len(windows)
    content["warnings"] = explanations.warnings(policy, log, windows, explicit)
    drawn, window_of = starts.sample(
        windows, policy, np.random.default_rng(policy.seed)
    )
    plan = batches.Plan(
        policy.model_copy(update={"treatment_actions": tuple(known)}),
        explicit[0] if explicit else None,
        probes.undo_action(policy, feedback),
        _members(judge),
    )
    slates = run_batches(_cut(drawn, windows, policy.batch_size), plan)
    if slates.outcome is None:
        reason = (
            "the model recommended nothing to a simulated user although "
            f"{facts.num_candidates} candidates leave enough: its scores are not "
            "finite (NaN weights?), or its index is empty"
        )
        failed = explanations.unmeasured(policy, feedback, similarities, reason)
        return {**content, **failed}
    content.update(nothing_yet)
    for action in known:
        pair = _pair(slates, action)
        for name, measured in judge.effects(pair).items():
            content[f"{name}.{action}"] = measured
    if plan.primary is not None:
        real = [windows[i] for i in window_of]
        content["examples"] = report.examples(slates, facts.catalog, plan.primary)
        content.update(
            _further(judge, slates, plan.primary, real, log, facts, feedback, policy)
        )
    return content


def _further(
    judge: report.Judge,
    slates: batches.Slates,
    action: str,
    windows: Sequence[Start],
    log: starts.TrainingLog,
    facts: ModelFacts,
    feedback: settings.FeedbackSettings,
    policy: settings.ResponsivenessSettings,
) -> dict[str, Any]:
    """Returns the blocks about the one treatment that is looked at from all sides."""
    pair = _pair(slates, action)
    label = {
        item: b", ".join(sorted(set(entry.categories))).decode()
        for item, entry in facts.catalog.items()
    }
    masks = report.slice_masks(
        pair,
        log.user_counts,
        log.item_counts,
        judge.leading,
        label,
        policy.slice_clusters,
    )
    found = slates.probes
    return {
        "primary_action": action,
        "treatments": {
            name: judge.effects(found[name])
            for name in ("in_a_row", "taken_back")
            if name in found
        },
        "dose_response": report.curve(judge, found, "dose"),
        "decay": report.curve(judge, found, "decay"),
        "replay": judge.effects(found.get("replay")),
        "specificity": report.specificity(judge, pair),
        "collateral": report.collateral(
            judge, pair, windows, feedback, policy.favourite_clusters
        ),
        "slices": {
            name: {
                s.name: judge.effect(s, pair, np.flatnonzero(mask)).to_dict()
                for s in judge.similarities
                if s.reason is None
            }
            for name, mask in masks.items()
        },
    }


def _pair(slates: batches.Slates, action: str) -> probes.Pair:
    outcome = slates.outcome
    if outcome is None:
        raise ValueError("nothing was simulated")
    return probes.Pair(
        outcome.history.user_id,
        outcome.branch_item_id,
        outcome.control,
        outcome.treatment[action],
    )


def _members(judge: report.Judge) -> probes.Members | None:
    leading = judge.leading
    if isinstance(leading, similarity.ClusterSimilarity):
        return probes.Members.of(leading.cluster)
    return None


def _cut(
    drawn: Sequence[Start], windows: Sequence[Start], size: int
) -> list[batches.Batch]:
    return [
        batches.Batch(
            first,
            tuple(drawn[first : first + size]),
            tuple(windows[first : first + size]),
        )
        for first in range(0, len(drawn), size)
    ]
