"""The whole measurement: simulations, their effects, and the report of both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.held_out import Window
from components.responsiveness import (
    batches,
    branch_point,
    clusters,
    collateral,
    concentration,
    examples,
    explanations,
    probes,
    similarities,
    similarity,
    slices,
    specificity,
    starts,
)
from components.responsiveness.behaviour import NothingRecommendedError
from components.responsiveness.branches import Branches
from components.responsiveness.config import SimulationConfig
from components.responsiveness.effect import EffectEstimator
from components.responsiveness.simulation import Outcome
from schema import reports
from serving.bundle import catalog, saved_model

_TREATMENTS = (
    branch_point.IN_A_ROW,
    branch_point.TAKEN_BACK,
    branch_point.LIKED_AFTER,
)
_NO_ROOM = "the catalogue has too few candidates for so many further events"


def measure(
    model: saved_model.RetrievalModel,
    train_files: Sequence[str],
    judge_files: Sequence[str],
    config: SimulationConfig,
    run_batches: batches.RunBatches,
) -> reports.Responsiveness:
    """Simulates, and measures every similarity and treatment.

    Args:
      model: that is asked; its files tell the catalogue.
      train_files: raw event examples of the train split.
      judge_files: the same of the judge's users; none: there are no such users.
      config: the simulation's part of the configuration.
      run_batches: asks the model.

    Raises:
      InputError: the train split is empty, or the catalogue too small.
    """
    policy = config.responsiveness
    log = starts.read(train_files, policy.simulations, policy.seed)
    pairs = starts.read_pairs(judge_files) if judge_files else None
    items = catalog.read(model.directory)
    audit = Audit.of(items, log, pairs, model.manifest, config)
    measured = audit.report(run_batches)
    return measured.model_copy(update={"model_digest": model.digest})


@dataclasses.dataclass(frozen=True)
class Audit:
    """What the simulations start from and are judged with."""

    config: SimulationConfig
    estimator: EffectEstimator
    items: Mapping[bytes, catalog.Item]
    manifest: Mapping[str, Any]
    """Of the model that is asked."""
    log: starts.TrainingLog
    judge: similarities.Judge
    treatments: Sequence[str]

    @classmethod
    def of(
        cls,
        items: Mapping[bytes, catalog.Item],
        log: starts.TrainingLog,
        judge_pairs: Sequence[tuple[bytes, bytes]] | None,
        manifest: Mapping[str, Any],
        config: SimulationConfig,
    ) -> Audit:
        """Returns an audit; its similarities are made here, once for many models.

        Args:
          items: the catalogue.
          log: the train split.
          judge_pairs: (user_id, item_id) of who judges; None: there is no such split.
          manifest: of the model that is asked.
          config: the simulation's part of the configuration.
        """
        policy = config.responsiveness
        judge = similarities.judge(judge_pairs or [], policy, judge_pairs is not None)
        judging = judge.similarities(policy.judge_neighbours)
        measured = (*similarities.of_catalog(items, log.pairs, policy), *judging)
        return cls(
            config,
            EffectEstimator(measured, policy),
            items,
            manifest,
            log,
            judge,
            explanations.measurable(policy, config.feedback),
        )

    @property
    def num_candidates(self) -> int:
        """How many items may be recommended."""
        return int(self.manifest.get("num_candidates", len(self.items)))

    def report(self, run_batches: batches.RunBatches) -> reports.Responsiveness:
        """Simulates, and returns the report."""
        policy, feedback = self.config.responsiveness, self.config.feedback
        measured = self.estimator.similarities
        content: dict[str, Any] = {
            "model_id": self.manifest.get("model_id"),
            "simulations": policy.simulations,
            "trajectory_length": policy.trajectory_length,
            "slate_size": policy.slate_size,
            "control_action": policy.control_action,
            "explicit_actions": explanations.explicit(self.treatments, feedback),
            "action_counts": {
                a: self.log.action_counts.get(a, 0) for a in self.treatments
            },
            "distinct_users": len(self.log.windows),
            "similarities": {
                by.name: self.judge.described(by)
                if by.source == "judge"
                else by.described()
                for by in measured
            },
            "effects": explanations.unmeasured(self.config, measured),
            "warnings": [],
            "examples": [],
        }
        if self.treatments:
            content |= self._simulated(run_batches)
        return reports.Responsiveness(**content)

    def _simulated(self, run_batches: batches.RunBatches) -> dict[str, Any]:
        """Simulates, and returns the blocks of the report that follow."""
        policy, feedback = self.config.responsiveness, self.config.feedback
        windows = starts.with_room(self.log.windows, self.num_candidates, policy)
        drawn = starts.sample(windows, policy, np.random.default_rng(policy.seed))
        explicit = explanations.explicit(self.treatments, feedback)
        primary = explicit[0] if explicit else None
        lasting = starts.events_with_room(drawn, self.num_candidates, policy)
        asked = {
            "treatment_actions": tuple(self.treatments),
            "persistence_events": lasting,
        }
        plan = batches.Plan(
            policy.model_copy(update=asked),
            primary,
            self.log.stating(primary) if primary else b"",
            probes.undo_action(policy, feedback),
            self._alike(),
        )
        content: dict[str, Any] = {
            "distinct_users": len(windows),
            "warnings": explanations.warnings(policy, self.log, windows, explicit),
        }
        measured = self.estimator.similarities
        try:
            outcome = run_batches(batches.cut(drawn, windows, policy.batch_size), plan)
        except NothingRecommendedError:
            reason = (
                "the model recommended nothing to a simulated user although "
                f"{self.num_candidates} candidates leave enough: its scores are not "
                "finite (NaN weights?), or its index is empty"
            )
            effects = explanations.unmeasured(self.config, measured, reason)
            return {**content, "effects": effects}
        effects = explanations.unmeasured(self.config, measured)
        for action, branches in outcome.treatments.items():
            for name, effect in self.estimator.effects(branches).items():
                effects[name][action] = effect
        if primary is not None:
            content |= self._further(outcome, primary, windows)
        return {**content, "effects": effects}

    def _persistence(
        self, found: Mapping[branch_point.Probe, Branches]
    ) -> dict[str, Branches | None]:
        """Returns what is left of the answer, by the report's names."""
        policy = self.config.responsiveness
        if not policy.probe_simulations:
            return {}
        later = {
            f"events:{events}": branch_point.Probe(branch_point.DECAY, events + 1)
            for events in policy.persistence_events
        } | {
            f"{branch_point.GAP}:{gap}": branch_point.Probe(branch_point.GAP, gap)
            for gap in policy.persistence_gaps_ms
        }
        return {name: found.get(probe) for name, probe in later.items()}

    def _alike(self) -> dict[bytes, Any]:
        leading = self.estimator.leading
        if isinstance(leading, similarity.ClusterSimilarity):
            return clusters.members(leading.cluster)
        return {}

    def _further(
        self, outcome: Outcome, action: str, windows: Sequence[Window]
    ) -> dict[str, Any]:
        """Returns the blocks about the one treatment that gets all of them."""
        branches, found = outcome.treatments[action], outcome.probes
        persistence = self._persistence(found)
        asked = {probe.name: found[probe] for probe in _TREATMENTS if probe in found}
        of_all = {
            **outcome.treatments,
            **asked,
            **{name: part for name, part in persistence.items() if part is not None},
        }
        estimator, log = self.estimator, self.log
        label = {
            item: b", ".join(sorted({*entry.categories})).decode()
            for item, entry in self.items.items()
        }
        masks = slices.masks(
            branches,
            log.user_counts,
            log.item_counts,
            estimator.leading,
            label,
            estimator.policy.slice_clusters,
        )
        return {
            "examples": examples.most_changed(
                outcome, self.items, estimator.similarities, action
            ),
            "primary_action": action,
            "treatments": {
                name: estimator.effects(part) for name, part in asked.items()
            },
            "persistence": {
                name: estimator.effects(part, _NO_ROOM)
                for name, part in persistence.items()
            },
            "kept": {name: estimator.kept(part) for name, part in of_all.items()},
            "unheard": {
                name: estimator.unheard(part)
                for name, part in (
                    ("next_slate", branches),
                    ("replay", found.get(branch_point.REPLAY)),
                    ("short_histories", found.get(branch_point.SHORT)),
                )
                if part is not None
            },
            "dose_response": estimator.curve(found, branch_point.DOSE),
            "decay": estimator.curve(found, branch_point.DECAY),
            "replay": estimator.effects(found.get(branch_point.REPLAY)),
            "short_histories": estimator.effects(found.get(branch_point.SHORT)),
            "specificity": specificity.by_similarity(estimator, branches),
            "concentration": concentration.by_similarity(
                estimator, found.get(branch_point.UNSAID)
            ),
            "collateral": collateral.by_similarity(
                estimator, branches, windows, self.config.feedback
            ),
            "slices": {
                name: estimator.supported_effects(branches.rows(mask))
                for name, mask in masks.items()
            },
        }
