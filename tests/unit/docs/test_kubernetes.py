"""The manifests, as far as they can be checked without a cluster.

Each document becomes an object of the official client and is written back: a key that
Kubernetes does not know is lost on the way, a required one that is missing raises.
"""

import json
import pathlib
import re
import types

import pytest
import yaml
from typer import testing

from pipeline import cli  # noqa: F401 - registers the commands
from pipeline.commands import shell
from schema import settings
from serving.server import rest

ROOT = pathlib.Path(__file__).parents[3]
DOCUMENTS = {
    document["kind"]: document
    for document in yaml.safe_load_all(
        (ROOT / "deploy" / "kubernetes" / "serving.yaml").read_text()
    )
}
MODELS = {
    "PersistentVolumeClaim": "V1PersistentVolumeClaim",
    "Deployment": "V1Deployment",
    "Service": "V1Service",
    "HorizontalPodAutoscaler": "V2HorizontalPodAutoscaler",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
}
POD = DOCUMENTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


def written_back(document):
    client = pytest.importorskip("kubernetes.client")
    api = client.ApiClient()
    answer = types.SimpleNamespace(data=json.dumps(document))
    known = api.deserialize(answer, MODELS[document["kind"]])
    return api.sanitize_for_serialization(known)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", MODELS)
def test_kubernetes_knows_every_key(kind):
    assert DOCUMENTS.keys() == MODELS.keys()
    assert written_back(DOCUMENTS[kind]) == DOCUMENTS[kind]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_wrong_key_would_be_found():
    wrong = json.loads(json.dumps(DOCUMENTS["Service"]))
    wrong["spec"]["selectors"] = {"app": "x"}
    assert written_back(wrong) != wrong
    missing = json.loads(json.dumps(DOCUMENTS["Deployment"]))
    del missing["spec"]["selector"]
    with pytest.raises(ValueError, match="selector"):
        written_back(missing)


def test_labels_volumes_and_ports_fit_together():
    labels = POD["metadata"]["labels"]
    deployment = DOCUMENTS["Deployment"]["spec"]
    assert deployment["selector"]["matchLabels"] == labels
    assert DOCUMENTS["Service"]["spec"]["selector"] == labels
    assert (
        DOCUMENTS["PodDisruptionBudget"]["spec"]["selector"] == (deployment["selector"])
    )
    target = DOCUMENTS["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target["name"] == DOCUMENTS["Deployment"]["metadata"]["name"]
    claims = [v["persistentVolumeClaim"] for v in POD["spec"]["volumes"][:1]]
    assert (
        claims[0]["claimName"]
        == (DOCUMENTS["PersistentVolumeClaim"]["metadata"]["name"])
    )
    mounts = {m["name"] for m in CONTAINER["volumeMounts"]}
    assert mounts == {v["name"] for v in POD["spec"]["volumes"]}
    ports = {p["name"]: p["containerPort"] for p in CONTAINER["ports"]}
    service = {
        p["targetPort"]: p["port"] for p in DOCUMENTS["Service"]["spec"]["ports"]
    }
    assert service == ports
    assert f"--rest-port={ports['rest']}" in CONTAINER["args"]
    assert f"--grpc-port={ports['grpc']}" in CONTAINER["args"]


def test_the_server_knows_its_arguments_and_paths():
    answer = testing.CliRunner().invoke(shell.app, [*CONTAINER["args"], "--help"])
    assert answer.exit_code == 0
    # An argument that is none would be told before the folder is looked for.
    answer = testing.CliRunner().invoke(shell.app, CONTAINER["args"])
    assert "/models/heed does not exist" in answer.output
    annotations = POD["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == rest.METRICS_PATH


def test_a_pod_has_time_to_drain():
    chosen = settings.ServingSettings()
    grace_sec = POD["spec"]["terminationGracePeriodSeconds"]
    assert grace_sec > chosen.lame_duck_sec + chosen.drain_sec


def test_the_user_and_the_image_are_those_of_the_dockerfile():
    dockerfile = (ROOT / "Dockerfile").read_text()
    user = POD["spec"]["securityContext"]["runAsUser"]
    assert re.search(rf"^USER {user}$", dockerfile, re.M)
    name = CONTAINER["image"].rpartition("/")[2]
    assert f"{name} --target serving" in dockerfile
