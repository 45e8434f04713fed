import pytest
from tfx.types import standard_artifacts

from components import artifacts
from serving.bundle import integrity
from tests import builders
from tests.components import fake_artifacts


@pytest.fixture
def inputs(tmp_path):
    """The artifacts on disk; reports are written by the tests."""
    model = fake_artifacts.make(
        standard_artifacts.Model, tmp_path / "model", artifact_id=42
    )
    serving = tmp_path / "model" / "Format-Serving" / "assets.extra"
    serving.mkdir(parents=True)
    integrity.write_manifest(str(serving.parent), {"model_id": builders.MODEL_ID})
    kinds = {
        "evaluation": standard_artifacts.ModelEvaluation,
        "responsiveness": artifacts.ResponsivenessReport,
        "infra_blessing": standard_artifacts.InfraBlessing,
        "event_anomalies": artifacts.AnomalyReport,
        "catalog_anomalies": artifacts.AnomalyReport,
    }
    examples = fake_artifacts.make(standard_artifacts.Examples, tmp_path / "examples")
    examples.uri = builders.EXAMPLES_URI
    others = {
        key: [fake_artifacts.make(kind, tmp_path / key)] for key, kind in kinds.items()
    }
    return {"model": [model], "examples": [examples], **others}


@pytest.fixture
def outputs(tmp_path):
    return {
        "blessing": [
            fake_artifacts.make(standard_artifacts.ModelBlessing, tmp_path / "blessing")
        ],
        "promotion": [
            fake_artifacts.make(artifacts.PromotionReport, tmp_path / "promotion")
        ],
    }
