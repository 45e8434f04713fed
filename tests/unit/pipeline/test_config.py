import pytest

from pipeline import config
from schema import errors, settings


@pytest.fixture
def write(tmp_path):
    def write_toml(text, name="mine.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write_toml


def refused(*arguments):
    with pytest.raises(errors.InputError) as caught:
        config.load(*arguments)
    return str(caught.value)


# --- layers -----------------------------------------------------------------------


def test_defaults_alone():
    resolved = config.load(None)

    assert resolved.config == settings.HeedConfig()
    assert set(resolved.origin.values()) == {"default"}
    assert "train.epochs" in resolved.origin


def test_file_lies_over_the_defaults_and_set_over_both(write):
    path = write("[train]\nepochs = 3\nseed = 7\n")

    resolved = config.load(path, ["train.epochs=5", "data.events=log.csv"])

    assert resolved.config.train.epochs == 5
    assert resolved.config.train.seed == 7
    assert resolved.config.train.batch_size == settings.TrainSettings().batch_size
    assert resolved.config.data.events == "log.csv"
    assert resolved.origin["train.epochs"] == "--set train.epochs=5"
    assert resolved.origin["train.seed"] == path
    assert resolved.origin["train.batch_size"] == "default"


def test_last_set_wins():
    resolved = config.load(None, ["train.epochs=5", "train.epochs=6"])

    assert resolved.config.train.epochs == 6
    assert resolved.origin["train.epochs"] == "--set train.epochs=6"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.events=a b.csv", "a b.csv"),
        ("data.events='quoted'", "quoted"),
        ("data.events=", ""),
        ("data.events=x=y", "x=y"),
        ("data.events=2024-01-01", "2024-01-01"),
        ("data.events=/data/{SPAN}/*.parquet", "/data/{SPAN}/*.parquet"),
        (" data.events =z", "z"),
    ],
)
def test_set_takes_bare_words_for_strings(text, expected):
    assert config.load(None, [text]).config.data.events == expected


def test_set_takes_toml_values():
    resolved = config.load(
        None,
        [
            "evaluation.top_k=[5, 50]",
            "gate.require_serving_check=false",
            "train.learning_rate=1e-3",
            'beam.args=["--runner=FnApiRunner", "--x=1"]',
            "data.split_times_ms=[1, 2]",
        ],
    ).config

    assert resolved.evaluation.top_k == (5, 50)
    assert resolved.gate.require_serving_check is False
    assert resolved.train.learning_rate == 0.001
    assert resolved.beam.args == ("--runner=FnApiRunner", "--x=1")
    assert resolved.data.split_times_ms == (1, 2)


def test_actions_are_merged_one_by_one():
    resolved = config.load(
        None,
        [
            "feedback.actions.dislike.weight=3",
            'feedback.actions.hide.polarity="negative"',
        ],
    )

    actions = resolved.config.feedback.actions
    assert set(actions) == {"like", "view", "skip", "dislike", "hide"}
    assert actions["dislike"].weight == 3.0
    assert actions["dislike"].explicit is True
    assert actions["hide"].polarity == "negative"
    assert resolved.origin["feedback.actions.dislike.explicit"] == "default"
    assert resolved.origin["feedback.actions.dislike.weight"].startswith("--set")


def test_table_of_plain_values_is_replaced_as_a_whole(write):
    path = write("[responsiveness.trajectory_actions]\nlike = 1.0\n")

    resolved = config.load(path)

    assert resolved.config.responsiveness.trajectory_actions == {"like": 1.0}
    assert resolved.origin["responsiveness.trajectory_actions"] == path
    assert "responsiveness.trajectory_actions.view" not in resolved.origin


def test_new_mapping_gets_the_defaults_of_a_mapping(write):
    path = write('[mappings.mine.events]\ntimestamp_unit = "s"\n')

    mapping = config.load(path, ["data.source=mine"]).config.mapping()

    assert mapping.events.timestamp_unit == "s"
    assert mapping.events.columns == settings.EventColumns()


def test_packaged_configs_are_found_by_name():
    assert "movielens-small" in config.packaged_names()
    for name in config.packaged_names():
        resolved = config.load(name)
        assert f"{name}.toml" in resolved.origin.values()


def test_movielens_small_is_what_its_log_needs():
    resolved = config.load("movielens-small").config

    mapping = resolved.mapping()
    assert mapping.events.columns.user_id == "userId"
    assert mapping.events.timestamp_unit == "s"
    assert resolved.data.split == "leave_last_out"
    assert [rule.action for rule in mapping.events.action_rules] == ["like", "dislike"]
    assert resolved.responsiveness.control_action == "like"


# --- what is refused --------------------------------------------------------------


def test_unknown_key_names_itself_its_place_and_the_nearest():
    message = refused(None, ["train.epoch=3"])

    assert "`train.epoch`" in message
    assert "--set train.epoch=3" in message
    assert "`train.epochs`" in message


def test_unknown_key_in_a_file_names_the_file(write):
    path = write("[modle]\nhidden_dim = 3\n")

    message = refused(path)

    assert "`modle`" in message
    assert path in message
    assert "`model`" in message


def test_unknown_key_inside_an_action():
    message = refused(None, ["feedback.actions.like.wieght=3"])

    assert "`feedback.actions.like.wieght`" in message
    assert "weight" in message.split("did you mean")[1]


@pytest.mark.parametrize(
    ("override", "key", "came"),
    [
        ("train.epochs=0", "train.epochs", "0"),
        ("train.epochs=many", "train.epochs", "'many'"),
        ("gate.min_recall_at_10=1.5", "gate.min_recall_at_10", "1.5"),
        ("gate.min_recall_at_10=nan", "gate.min_recall_at_10", "nan"),
        ("model.query_tower=lstm", "model.query_tower", "'lstm'"),
        ("model.negative_signal=both", "model.negative_signal", "'both'"),
        ("evaluation.top_k=[]", "evaluation.top_k", "[]"),
        ("evaluation.top_k=[0]", "evaluation.top_k.0", "0"),
        (
            "feedback.actions.like.polarity=good",
            "feedback.actions.like.polarity",
            "'good'",
        ),
    ],
)
def test_invalid_value_names_key_value_and_where_it_came_from(override, key, came):
    message = refused(None, [override])

    assert f"`{key}`" in message
    assert f"got {came}" in message
    assert f"(--set {override})" in message


def test_all_mistakes_are_told_at_once():
    message = refused(None, ["train.epochs=0", "model.dropout=1"])

    assert "`train.epochs`" in message
    assert "`model.dropout`" in message


@pytest.mark.parametrize("override", ["train", "train.epochs", "=3", ".x=1", "a..b=1"])
def test_set_that_is_no_assignment(override):
    assert "section.key=value" in refused(None, [override])


def test_scalar_where_a_table_belongs():
    assert "`train` is a table" in refused(None, ["train=3"])
    assert "`feedback.actions.like` is a table" in refused(
        None, ["feedback.actions.like=3"]
    )


def test_missing_config_names_the_packaged_ones(tmp_path):
    assert "movielens-small" in refused("movielens-large")
    assert "cannot be read" in refused(str(tmp_path / "none.toml"))


def test_broken_toml_names_the_file(write):
    path = write("[train\n")

    assert path in refused(path)


def test_contradictions_between_sections_are_told():
    assert "`data.source` must be one of canonical" in refused(None, ["data.source=x"])
    assert "`responsiveness.control_action` names 'play'" in refused(
        None, ["responsiveness.control_action=play"]
    )
    assert "must not be a negative action" in refused(
        None, ["responsiveness.control_action=dislike"]
    )
    assert "`min_context` must be below `max_length`" in refused(
        None, ["history.max_length=10", "history.min_context=10"]
    )


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["gate.judge=required", "responsiveness.judge_share=0"], "users who judge"),
        (["gate.lasting_events=7"], "must be one of"),
        (["gate.lasting_gap_ms=7"], "`gate.lasting_gap_ms` = 7 must be one of"),
        (["responsiveness.confidence=0.0001"], "`gate.min_confidence` = 0.8"),
        (["evaluation.bootstrap_samples=1"], "`gate.min_bootstrap_samples` = 100"),
        (["gate.max_content_responsiveness=inf"], "finite"),
        (["gate.min_lift_over_popularity=nan"], "finite"),
        (["responsiveness.probe_simulations=0"], "above 0; got 0"),
        (['gate.similarities=["creator"]'], "SIMILARITY.ACTION"),
        (['gate.similarities=["creator.hate"]'], "`feedback.actions`"),
    ],
)
def test_gate_asks_only_what_is_measured(overrides, words):
    """Or a model would be refused after hours, and whatever it does."""
    assert words in refused(None, overrides)


def test_gate_may_ask_for_no_lasting_answer():
    overrides = ["gate.lasting_events=none", "responsiveness.probe_simulations=0"]

    assert config.load(None, overrides).config.gate.lasting_events is None


def test_simulation_needs_an_action_to_take():
    """All frequencies 0 (or no action) would fail after hours, at the first step."""
    assert "trajectory_actions" in refused(
        None, ["responsiveness.trajectory_actions={view = 0.0}"]
    )
    assert "trajectory_actions" in refused(
        None, ["responsiveness.trajectory_actions={}"]
    )


def test_held_out_interactions_of_a_split_by_time_are_refused():
    """They would change nothing, and nobody would know."""
    message = refused(None, ["data.held_out_interactions=5"])

    assert "`data`: `held_out_interactions = 5`" in message
    assert '`split = "leave_last_out"`' in message
    assert "max_rejected_share" not in message, "the whole table buries the sentence"
    both = ["data.held_out_interactions=5", "data.split=leave_last_out"]
    assert config.load(None, both).config.data.held_out_interactions == 5


def test_transformer_whose_heads_do_not_share_its_width_is_refused():
    """It would fail after the whole ingestion, when the tower is built."""
    message = refused(
        None,
        ["model.query_tower=transformer", "model.hidden_dim=10", "model.num_heads=3"],
    )

    assert "num_heads" in message


# --- round trips ------------------------------------------------------------------


def test_section_survives_its_json():
    section = settings.ResponsivenessSettings(control_value=None, simulations=3)

    assert settings.ResponsivenessSettings.from_json(section.to_json()) == section


def test_json_does_not_depend_on_the_order_of_keys():
    one = settings.ResponsivenessSettings(trajectory_actions={"a": 1, "b": 2})
    other = settings.ResponsivenessSettings(trajectory_actions={"b": 2, "a": 1})

    assert one.to_json() == other.to_json()


def test_flatten_gives_dotted_leaves():
    values = {"a": {"b": 1, "c": {}}, "d": [2]}

    assert list(config.flatten(values)) == [("a.b", 1), ("a.c", {}), ("d", [2])]


# --- what becomes a path, or holds a secret ---------------------------------------


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", "", ".", "..", ".hidden", "-rf", "a b", "x" * 129, "é"]
)
def test_a_name_that_would_leave_its_folder_is_refused(name):
    message = refused(None, [f'pipeline.name="{name}"'])
    assert "`pipeline.name`" in message
    assert "1 to 128 letters" in message


def test_names_that_other_runners_take_stay():
    for name in ("heed", "My_Heed.v2-b", "7"):
        loaded = config.load(None, [f'pipeline.name="{name}"'])
        assert loaded.config.pipeline.name == name


@pytest.mark.parametrize(
    "address",
    [
        "s3://AKIAKEY:wJalr/XU+tn@bucket/log.csv",
        "s3://wJalr@bucket/log.csv",
        "hdfs://me:wJalr@node:9000/log.csv",
    ],
)
def test_credentials_are_refused_and_not_repeated(write, address):
    path = write(f'[data]\nevents = "{address}"\n')
    for arguments in (
        (path,),
        (None, [f"data.events={address}"]),
        (None, [f"dta.evnts={address}"]),
        (None, [f'data.events="{address}']),
    ):
        message = refused(*arguments)
        assert "holds credentials" in message
        assert "://***@" in message
        assert "wJalr" not in message


def test_an_address_may_hold_an_at_sign_and_a_port():
    for address in ("s3://bucket/user@example.org/log.csv", "hdfs://node:9000/a/b"):
        assert config.load(None, [f"data.events={address}"]).config.data.events == (
            address
        )
