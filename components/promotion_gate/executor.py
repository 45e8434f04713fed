"""Executor of PromotionGate: reads all reports, decides, blesses or refuses."""

from __future__ import annotations

from collections.abc import Mapping

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import artifacts, predecessor
from components.promotion_gate import config as gate_config
from components.promotion_gate import demands, rules
from components.specs import Artifacts, Properties
from schema import errors, reports
from serving.bundle import catalog, integrity, manifest

_HEADLINE_METRICS = (
    "recall@10",
    "ndcg@10",
    "negative_recall@10",
    "delta_ndcg@10",
    "index_recall@10",
)


class Executor(base_executor.BaseExecutor):
    """The only place that emits a ModelBlessing."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Writes `promotion.json` and the blessing.

        Args:
          input_dict: what the component takes, by the same names.
          output_dict: `blessing`, `promotion`.
          exec_properties: `gate_config`, canonical JSON of `GateConfig`; and
            `served_models`, the directory of versions that is pushed to.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = gate_config.GateConfig.from_json(exec_properties["gate_config"])
        policy = config.gate
        model = artifact_utils.get_single_instance(input_dict["model"])
        evidence = _evidence(
            input_dict, config, exec_properties.get(predecessor.SERVED_MODELS)
        )
        verdict = rules.decide(evidence, policy)
        promotion = reports.Promotion(
            blessed=verdict.blessed,
            rules=verdict.rules,
            model_id=evidence.model_id,
            baseline_model_id=evidence.baseline_model_id,
            examples_uri=evidence.examples_uri,
            figures=_headline_figures(evidence.evaluation, evidence.responsiveness),
            policy=policy.model_dump(mode="json"),
            grounds=reports.Grounds(
                explicit_actions=evidence.grounds.explicit_actions,
                has_judge=evidence.grounds.has_judge,
                catalogue=tuple(sorted(evidence.grounds.catalogue)),
            ),
        )
        artifacts.write_report(
            artifact_utils.get_single_instance(output_dict["promotion"]),
            reports.PROMOTION_FILE,
            promotion,
        )
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        # LatestBlessedModelStrategy finds the blessed model by this id.
        blessing.set_int_custom_property("current_model_id", model.id)
        blessing.set_string_custom_property("current_model", model.uri)
        artifacts.bless(blessing, verdict.blessed)
        # The decision must be readable from metadata when the files are gone.
        told = reports.to_json(promotion)
        blessing.set_string_custom_property("verdict", told)
        logging.info("verdict: %s", told)


def _evidence(
    input_dict: Artifacts, config: gate_config.GateConfig, served_models: str | None
) -> rules.Evidence:
    invalid: dict[str, str] = {}

    def read(
        key: str, file: str, kind: type[reports.ReportT], name: str = ""
    ) -> reports.ReportT | None:
        if not input_dict.get(key):
            return None
        found = artifact_utils.get_single_instance(input_dict[key])
        try:
            return artifacts.read_report(found, file, kind)
        except reports.InvalidReportError as error:
            invalid[name or key] = error.brief
            return None

    model_digest, model_damage = _verified(input_dict["model"])
    model_id = _model_id(_directory(input_dict["model"]))
    before = predecessor.find(
        _directory(input_dict.get("baseline_model", [])), served_models
    )
    baseline = _model_id(before)
    examples = input_dict.get("examples", [])
    return rules.Evidence(
        evaluation=read("evaluation", reports.EVALUATION_FILE, reports.Evaluation),
        responsiveness=read(
            "responsiveness", reports.RESPONSIVENESS_FILE, reports.Responsiveness
        ),
        serving_check=read(
            "infra_blessing",
            reports.SERVING_CHECK_FILE,
            reports.ServingCheck,
            "serving_check",
        ),
        event_anomalies=read(
            "event_anomalies", reports.ANOMALIES_FILE, reports.Anomalies
        ),
        catalog_anomalies=read(
            "catalog_anomalies", reports.ANOMALIES_FILE, reports.Anomalies
        ),
        model_id=model_id,
        model_digest=model_digest,
        model_damage=model_damage,
        examples_uri=examples[0].uri if examples else None,
        grounds=demands.Grounds(
            explicit_actions=config.explicit_actions,
            has_judge=config.has_judge,
            catalogue=demands.supported(
                _items(input_dict["model"]) if model_digest else {}
            ),
        ),
        # A rerun meets itself as the last blessed model: that is no baseline.
        baseline_model_id=None if baseline == model_id else baseline,
        invalid=invalid,
    )


def _headline_figures(
    evaluation: reports.Evaluation | None, responsiveness: reports.Responsiveness | None
) -> reports.Figures:
    """Returns what a verdict keeps of the reports: metadata tell what was measured."""
    metrics = evaluation.metrics if evaluation else {}
    effects = responsiveness.effects if responsiveness else {}
    measured = {
        similarity: {
            action: effect
            for action, effect in by_action.items()
            if effect.responsiveness is not None
        }
        for similarity, by_action in effects.items()
    }
    return reports.Figures(
        metrics={name: metrics[name] for name in _HEADLINE_METRICS if name in metrics},
        responsiveness=measured,
    )


def _items(models: list[types.Artifact]) -> Mapping[bytes, catalog.Item]:
    return catalog.read(path_utils.serving_model_path(models[0].uri)) if models else {}


def _verified(models: list[types.Artifact]) -> tuple[str | None, str]:
    """Returns the digest of the model's files, or None and what is wrong with them."""
    directory = path_utils.serving_model_path(models[0].uri)
    try:
        return integrity.require(directory), ""
    except errors.InputError as damage:
        return None, str(damage)


def _directory(models: list[types.Artifact]) -> str | None:
    return str(path_utils.serving_model_path(models[0].uri)) if models else None


def _model_id(directory: str | None) -> str | None:
    if directory is None:
        return None
    try:
        found = manifest.model_id(directory)
    except errors.InputError:
        # A damaged manifest tells none, and a rule of its own refuses it.
        return None
    return None if found is None else str(found)
