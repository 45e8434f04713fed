"""The whole measurement: simulations, their effects, and the report of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.held_out import Window
from components.responsiveness import (
    batches,
    clusters,
    collateral,
    examples,
    explanations,
    probes,
    similarity,
    slices,
    specificity,
    starts,
)
from components.responsiveness.behaviour import NothingRecommendedError
from components.responsiveness.config import SimulationConfig
from components.responsiveness.effect import EffectEstimator
from components.responsiveness.simulation import Outcome
from schema import reports, settings
from serving.bundle import catalog, saved_model


def measure(
    model: saved_model.RetrievalModel,
    train_files: Sequence[str],
    config: SimulationConfig,
    run_batches: batches.RunBatches,
) -> reports.Responsiveness:
    """Simulates, and measures every similarity and treatment.

    Args:
      model: that is asked; its files tell the catalogue.
      train_files: raw event examples of the train split.
      config: the simulation's part of the configuration.
      run_batches: asks the model.

    Raises:
      InputError: the train split is empty, or the catalogue too small.
    """
    policy, feedback = config.responsiveness, config.feedback
    items = catalog.read(model.directory)
    manifest = model.manifest
    num_candidates = manifest.get("num_candidates", len(items))
    log = starts.read(train_files, policy.simulations, policy.seed)
    similarities = similarity.of_catalog(items, log.pairs, policy)
    known = explanations.measurable(policy, feedback)
    negative = feedback.negative_names()
    explicit = [a for a in known if feedback.actions[a].explicit and a in negative]
    content: dict[str, Any] = {
        "model_id": manifest.get("model_id"),
        "simulations": policy.simulations,
        "trajectory_length": policy.trajectory_length,
        "slate_size": policy.slate_size,
        "control_action": policy.control_action,
        "explicit_actions": explicit,
        "action_counts": {a: log.action_counts.get(a, 0) for a in known},
        "distinct_users": len(log.windows),
        "similarities": {by.name: by.described() for by in similarities},
        "effects": explanations.unmeasured(policy, feedback, similarities, ""),
        "warnings": [],
        "examples": [],
    }
    if not known:
        return reports.Responsiveness(**content)
    windows = starts.with_room(log.windows, num_candidates, policy)
    content["distinct_users"] = len(windows)
    content["warnings"] = explanations.warnings(policy, log, windows, explicit)
    drawn = starts.sample(windows, policy, np.random.default_rng(policy.seed))
    estimator = EffectEstimator(similarities, policy)
    primary = explicit[0] if explicit else None
    plan = batches.Plan(
        policy.model_copy(update={"treatment_actions": tuple(known)}),
        primary,
        probes.undo_action(policy, feedback),
        _alike(estimator),
    )
    try:
        outcome = run_batches(batches.cut(drawn, windows, policy.batch_size), plan)
    except NothingRecommendedError:
        content["effects"] = explanations.unmeasured(
            policy,
            feedback,
            similarities,
            "the model recommended nothing to a simulated user although "
            f"{num_candidates} candidates leave enough: its scores are not "
            "finite (NaN weights?), or its index is empty",
        )
        return reports.Responsiveness(**content)
    for action, branches in outcome.treatments.items():
        for name, effect in estimator.effects(branches).items():
            content["effects"][name][action] = effect
    if primary is not None:
        content["examples"] = examples.most_changed(outcome, items, primary)
        content |= _further(estimator, outcome, primary, windows, log, items, feedback)
    return reports.Responsiveness(**content)


def _alike(estimator: EffectEstimator) -> dict[bytes, Any]:
    leading = next(iter(estimator.supported), None)
    if isinstance(leading, similarity.ClusterSimilarity):
        return clusters.members(leading.cluster)
    return {}


def _further(
    estimator: EffectEstimator,
    outcome: Outcome,
    action: str,
    windows: Sequence[Window],
    log: starts.TrainingLog,
    items: Mapping[bytes, catalog.Item],
    feedback: settings.FeedbackSettings,
) -> dict[str, Any]:
    """Returns the blocks about the one treatment that is looked at from all sides."""
    branches, found = outcome.treatments[action], outcome.probes
    label = {
        item: b", ".join(sorted({*entry.categories})).decode()
        for item, entry in items.items()
    }
    masks = slices.masks(
        branches,
        log.user_counts,
        log.item_counts,
        next(iter(estimator.supported), None),
        label,
        estimator.policy.slice_clusters,
    )
    return {
        "primary_action": action,
        "treatments": {
            probe.name: estimator.effects(found[probe])
            for probe in (probes.IN_A_ROW, probes.TAKEN_BACK)
            if probe in found
        },
        "dose_response": estimator.curve(found, probes.DOSE),
        "decay": estimator.curve(found, probes.DECAY),
        "replay": estimator.effects(found.get(probes.REPLAY)),
        "specificity": specificity.by_similarity(estimator, branches),
        "collateral": collateral.by_similarity(estimator, branches, windows, feedback),
        "slices": {
            name: estimator.supported_effects(branches.rows(mask))
            for name, mask in masks.items()
        },
    }
