"""How the steps hang together, read from the compiled pipeline."""

import json
import pathlib
import shutil

import pytest
from tfx.types import standard_artifacts

from components import source_digest
from pipeline import config as config_lib
from pipeline import data_steps, pipeline
from pipeline.runners import nodes
from schema import features

LOCATIONS = data_steps.Locations(
    artifacts="/run/artifacts", serving_models="/run/models"
)
NODES = [
    "EventExampleGen",
    "ItemCatalogGen",
    "EventStatistics",
    "EventSchema",
    "EventValidator",
    "EventAnomalyCheck",
    "CatalogStatistics",
    "CatalogSchema",
    "CatalogValidator",
    "CatalogAnomalyCheck",
    "EventTransform",
    "CatalogTransform",
    "Trainer",
    "IndexBuilder",
    "LastBlessedModel",
    "Evaluation",
    "Responsiveness",
    "ServingCheck",
    "PromotionGate",
    "Pusher",
]


def compiled(*overrides):
    resolved = config_lib.load("movielens-small", list(overrides)).config
    created = pipeline.create_pipeline(
        resolved, LOCATIONS, pipeline.sqlite_connection("/run/metadata.sqlite")
    )
    return nodes.compile_pipeline(created)


@pytest.fixture(scope="module")
def ir():
    return compiled()


def by_id(ir):
    return {n.pipeline_node.node_info.id: n.pipeline_node for n in ir.nodes}


def producers(node):
    """Input key to the nodes that it is read from."""
    return {
        key: {channel.producer_node_query.id for channel in spec.channels}
        for key, spec in node.inputs.inputs.items()
    }


def parameters(node):
    return {
        key: value.field_value.string_value
        for key, value in node.parameters.parameters.items()
    }


def test_steps_stand_in_the_order_of_the_flow(ir):
    assert nodes.node_ids(ir) == NODES


def test_no_step_comes_before_what_it_reads(ir):
    order = {node: place for place, node in enumerate(nodes.node_ids(ir))}

    for node, upstream in nodes.upstream_ids(ir).items():
        assert all(order[other] < order[node] for other in upstream), node


def test_flow_is_that_of_the_design(ir):
    found = {node: producers(spec) for node, spec in by_id(ir).items()}

    assert found["Trainer"] == {
        "examples": {"EventTransform"},
        "transform_graph": {"EventTransform"},
        "catalog": {"CatalogTransform"},
        "catalog_transform_graph": {"CatalogTransform"},
    }
    assert found["IndexBuilder"] == {
        "towers": {"Trainer"},
        "examples": {"EventExampleGen"},
        "catalog": {"ItemCatalogGen"},
    }
    assert found["Evaluation"] == {
        "examples": {"EventExampleGen"},
        "transform_graph": {"EventTransform"},
        "model": {"IndexBuilder"},
        "baseline_model": {"LastBlessedModel"},
    }
    assert found["PromotionGate"] == {
        "model": {"IndexBuilder"},
        "evaluation": {"Evaluation"},
        "responsiveness": {"Responsiveness"},
        "infra_blessing": {"ServingCheck"},
        "examples": {"EventExampleGen"},
        "event_anomalies": {"EventAnomalyCheck"},
        "catalog_anomalies": {"CatalogAnomalyCheck"},
        "baseline_model": {"LastBlessedModel"},
    }


def test_what_is_measured_is_what_is_pushed(ir):
    """All that judges a model reads the artifact that is pushed."""
    for node in (
        "Evaluation", "Responsiveness", "ServingCheck", "PromotionGate", "Pusher",
    ):  # fmt: skip
        assert producers(by_id(ir)[node])["model"] == {"IndexBuilder"}, node


def test_gate_alone_emits_a_model_blessing(ir):
    emitting = [
        node
        for node, spec in by_id(ir).items()
        for output in spec.outputs.outputs.values()
        if output.artifact_spec.type.name == standard_artifacts.ModelBlessing.TYPE_NAME
        and node != "LastBlessedModel"
    ]

    assert emitting == ["PromotionGate"]


def test_pusher_waits_for_both_blessings(ir):
    found = producers(by_id(ir)["Pusher"])

    assert found["model_blessing"] == {"PromotionGate"}
    assert found["infra_blessing"] == {"ServingCheck"}
    destination = json.loads(parameters(by_id(ir)["Pusher"])["push_destination"])
    assert destination["filesystem"]["base_directory"] == "/run/models/heed"


def test_nothing_is_learnt_before_the_data_are_checked(ir):
    upstream = nodes.upstream_ids(ir)

    assert "EventAnomalyCheck" in upstream["EventTransform"]
    assert "CatalogAnomalyCheck" in upstream["CatalogTransform"]


def test_vocabularies_come_from_the_training_split_alone(ir):
    splits = json.loads(parameters(by_id(ir)["EventTransform"])["splits_config"])

    assert splits["analyze"] == [features.TRAIN]
    assert features.TEST not in splits["transform"]


def test_users_who_judge_are_read_by_responsiveness_alone(ir):
    """Every other step names its splits, none of them the judge's, or leaves it out."""
    given = {node: parameters(spec) for node, spec in by_id(ir).items()}
    transform = json.loads(given["EventTransform"]["splits_config"])
    trainer = given["Trainer"]

    assert float(given["EventExampleGen"]["judge_share"]) == 0.25
    assert json.loads(given["EventStatistics"]["exclude_splits"]) == [features.JUDGE]
    assert features.JUDGE not in {*transform["analyze"], *transform["transform"]}
    assert json.loads(trainer["train_args"])["splits"] == [features.TRAIN]
    assert json.loads(trainer["eval_args"])["splits"] == [features.EVAL]


def test_first_run_needs_no_baseline(ir):
    baseline = by_id(ir)["Evaluation"].inputs.inputs["baseline_model"]

    assert baseline.min_count == 0


def test_warm_start_reads_the_last_blessed_model_if_there_is_one():
    warm = compiled("train.warm_start=true")
    order = nodes.node_ids(warm)

    assert producers(by_id(warm)["Trainer"])["base_model"] == {"LastBlessedModel"}
    assert by_id(warm)["Trainer"].inputs.inputs["base_model"].min_count == 0
    assert order.index("LastBlessedModel") < order.index("Trainer")
    assert sorted(order) == sorted(NODES)


# --- what makes a step run again --------------------------------------------------


def all_parameters(ir):
    return {node: parameters(spec) for node, spec in by_id(ir).items()}


def changed_nodes(*overrides):
    before, after = all_parameters(compiled()), all_parameters(compiled(*overrides))
    return {node for node in before if before[node] != after[node]}


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("gate.min_recall_at_10=0.5", {"PromotionGate"}),
        ("evaluation.bootstrap_samples=700", {"Evaluation"}),
        ("responsiveness.simulations=7", {"Responsiveness"}),
        ("responsiveness.judge_share=0.1", {"EventExampleGen", "Responsiveness"}),
        ("serving_check.num_requests=7", {"ServingCheck"}),
        ("index.recall_target=0.5", {"IndexBuilder"}),
        ("index.user_control=2", {"IndexBuilder"}),  # a sweep of it trains once
        ("train.epochs=7", {"Trainer", "IndexBuilder"}),  # the manifest records it
        ("data.example_shards=7", {"EventExampleGen", "ItemCatalogGen"}),
        (
            "checks.max_statistics_examples=7",
            {"EventStatistics", "CatalogStatistics"},
        ),
    ],
)
def test_setting_changes_the_steps_that_depend_on_it(override, expected):
    assert changed_nodes(override) == expected


def test_control_action_is_a_setting_of_the_arms_too():
    """Arms `none` and `label` represent a dislike as the control action."""
    changed = changed_nodes("responsiveness.control_action=view")

    assert {"Trainer", "Responsiveness"} <= changed


OWN_STEPS = [
    "EventExampleGen",
    "ItemCatalogGen",
    "EventStatistics",
    "CatalogStatistics",
    "EventAnomalyCheck",
    "CatalogAnomalyCheck",
    "EventTransform",
    "CatalogTransform",
    "Trainer",
    "IndexBuilder",
    "Evaluation",
    "Responsiveness",
    "ServingCheck",
    "PromotionGate",
]


@pytest.mark.parametrize("node", OWN_STEPS)
def test_edited_source_reruns_its_step(node, monkeypatch):
    """The cache key of TFX holds no source: a digest of it stands in the settings."""
    before = all_parameters(compiled())[node]
    monkeypatch.setattr(source_digest, "source_digest", lambda *modules: "edited")

    assert all_parameters(compiled())[node] != before


@pytest.mark.parametrize("node", ["EventSchema", "CatalogSchema"])
def test_edited_schema_reruns_what_reads_it(node, monkeypatch, tmp_path):
    """ImportSchemaGen's own cache key is the path of the file, not its content."""
    package = pathlib.Path(pipeline.__file__).parents[1] / "schema"
    folder = shutil.copytree(package, tmp_path / "schema")
    monkeypatch.setattr(data_steps, "_schema_file", lambda name: str(folder / name))
    before = all_parameters(compiled())[node]
    for path in folder.glob("*.pbtxt"):
        path.write_text(path.read_text() + "# edited\n")

    assert all_parameters(compiled())[node] != before


# --- the search for hyperparameters -----------------------------------------------


def test_tuning_reads_what_the_trainer_reads():
    resolved = config_lib.load("movielens-small").config
    created = pipeline.create_tuning_pipeline(
        resolved, LOCATIONS, pipeline.sqlite_connection("/run/metadata.sqlite"), ()
    )

    tuning = nodes.compile_pipeline(created)

    assert nodes.node_ids(tuning) == [*NODES[: NODES.index("Trainer")], "Tuner"]
    assert producers(by_id(tuning)["Tuner"]) == producers(by_id(compiled())["Trainer"])
