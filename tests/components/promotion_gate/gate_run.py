"""Reports on disk, and the gate that reads them."""

import hashlib
import os

from components.promotion_gate import config as gate_config
from components.promotion_gate import executor
from schema import settings
from serving.bundle import manifest
from tests import builders
from tests.components import fake_artifacts

POLICY = settings.GateSettings(
    max_content_responsiveness=-0.1, max_creator_responsiveness=-0.1
)


def digest_of(model):
    """Whatever is written down of the model's files, by hand."""
    path = os.path.join(model.uri, "Format-Serving", manifest.MANIFEST_FILE)
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def seal(artifact, file):
    with open(os.path.join(artifact.uri, file), "rb") as found:
        digest = hashlib.sha256(found.read()).hexdigest()
    artifact.set_string_custom_property("report_sha256", digest)


def write_reports(inputs, **reports):
    files = {
        "evaluation": "evaluation.json",
        "responsiveness": "responsiveness.json",
        "infra_blessing": "serving_check.json",
        "event_anomalies": "anomalies.json",
        "catalog_anomalies": "anomalies.json",
    }
    given = {
        "evaluation": builders.evaluation_report(),
        "responsiveness": builders.responsiveness_report(),
        "infra_blessing": builders.serving_check_report(),
        "event_anomalies": builders.anomaly_report(),
        "catalog_anomalies": builders.anomaly_report(),
        **reports,
    }
    for key, content in given.items():
        if content is not None:
            if "model_digest" in content:
                content = {**content, "model_digest": digest_of(inputs["model"][0])}
            fake_artifacts.write_json(inputs[key][0], files[key], content)
            seal(inputs[key][0], files[key])


def run(inputs, outputs, policy=POLICY, served_models=""):
    config = gate_config.GateConfig(
        gate=policy, explicit_actions=("dislike",), has_judge=True
    )
    executor.Executor().Do(
        inputs,
        outputs,
        {"gate_config": config.to_json(), "served_models": str(served_models)},
    )
    return (
        outputs["blessing"][0],
        fake_artifacts.read_json(outputs["promotion"][0], "promotion.json"),
    )
