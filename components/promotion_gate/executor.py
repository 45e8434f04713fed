"""Executor of PromotionGate: reads all reports, decides, blesses or refuses."""

from __future__ import annotations

import json
import os
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.anomaly_check import executor as anomaly_check
from components.evaluation import executor as evaluation
from components.promotion_gate import figures, rules
from components.responsiveness import executor as responsiveness
from components.serving_check import executor as serving_check
from schema import settings
from serving.bundle import manifest

REPORT_FILE = "promotion.json"
_BLESSED_FILE = "BLESSED"
_NOT_BLESSED_FILE = "NOT_BLESSED"


class Executor(base_executor.BaseExecutor):
    """The only place that emits a ModelBlessing."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `promotion.json` and the blessing.

        Args:
          input_dict: `model` (to be pushed), `examples` (what it was measured on),
            `evaluation`, `responsiveness`, `infra_blessing` (with the serving check's
            report), `event_anomalies`, `catalog_anomalies`, `baseline_model`
            (optional: the last blessed one).
          output_dict: `blessing`, `promotion`.
          exec_properties: `gate`, canonical JSON of the section.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        policy = settings.GateSettings.from_json(exec_properties["gate"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        evidence = _evidence(input_dict)
        verdict = rules.decide(evidence, policy)
        content = {
            **verdict.to_dict(),
            "model_id": evidence.model_id,
            "baseline_model_id": evidence.baseline_model_id,
            "examples_uri": evidence.examples_uri,
            "figures": figures.of(evidence),
            "policy": policy.model_dump(mode="json"),
        }
        uri = artifact_utils.get_single_uri(output_dict["promotion"])
        with fileio.open(os.path.join(uri, REPORT_FILE), "w") as file:
            file.write(json.dumps(content, indent=1, sort_keys=True))
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        # LatestBlessedModelStrategy finds the blessed model by this id.
        blessing.set_int_custom_property("current_model_id", model.id)
        blessing.set_string_custom_property("current_model", model.uri)
        (_bless if verdict.blessed else _refuse)(blessing)
        # The decision must be readable from metadata when the files are gone.
        blessing.set_string_custom_property(
            "verdict", json.dumps(content, sort_keys=True)
        )
        logging.info("verdict: %s", content)


def _evidence(input_dict: dict[str, list[types.Artifact]]) -> rules.Evidence:
    model_id = _model_id(input_dict["model"])
    baseline = _model_id(input_dict.get("baseline_model", []))
    examples = input_dict.get("examples", [])
    return rules.Evidence(
        evaluation=_read(input_dict, "evaluation", evaluation.REPORT_FILE),
        responsiveness=_read(input_dict, "responsiveness", responsiveness.REPORT_FILE),
        serving_check=_read(input_dict, "infra_blessing", serving_check.REPORT_FILE),
        event_anomalies=_read(input_dict, "event_anomalies", anomaly_check.REPORT_FILE),
        catalog_anomalies=_read(
            input_dict, "catalog_anomalies", anomaly_check.REPORT_FILE
        ),
        model_id=model_id,
        examples_uri=examples[0].uri if examples else None,
        # A rerun meets itself as the last blessed model: that is no baseline.
        baseline_model_id=None if baseline == model_id else baseline,
    )


def _model_id(models: list[types.Artifact]) -> str | None:
    if not models:
        return None
    found = manifest.model_id(path_utils.serving_model_path(models[0].uri))
    return None if found is None else str(found)


def _read(
    input_dict: dict[str, list[types.Artifact]], key: str, name: str
) -> dict[str, Any] | None:
    if not input_dict.get(key):
        return None
    path = os.path.join(artifact_utils.get_single_uri(input_dict[key]), name)
    if not fileio.exists(path):
        return None
    with fileio.open(path, "r") as file:
        return dict(json.loads(file.read()))


def _bless(blessing: types.Artifact) -> None:
    with fileio.open(os.path.join(blessing.uri, _BLESSED_FILE), "w") as file:
        file.write("")
    blessing.set_int_custom_property("blessed", 1)


def _refuse(blessing: types.Artifact) -> None:
    with fileio.open(os.path.join(blessing.uri, _NOT_BLESSED_FILE), "w") as file:
        file.write("")
    blessing.set_int_custom_property("blessed", 0)
