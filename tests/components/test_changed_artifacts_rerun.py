"""A step whose output was changed is launched anew, not taken from the cache."""

import os
import pathlib
import shutil

import pytest
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.types import artifact_utils

from components.event_example_gen import component
from pipeline import pipeline as heed_pipeline
from pipeline.metadata import seals
from pipeline.runners import nodes
from schema import errors, settings

NOW = 1_700_000_000_000
LOG = "user_id,item_id,timestamp,action\n" + "".join(
    f"u{n % 2},i{n},{NOW + n},like\n" for n in range(10)
)


@pytest.fixture
def launch(tmp_path):
    """Launches the one step of a pipeline; the same as before every time."""
    (tmp_path / "log.csv").write_text(LOG)
    runs = iter("abcdef")

    def one_run():
        events = component.EventExampleGen(
            settings.DataSettings(
                events=str(tmp_path / "log.csv"), split="leave_last_out"
            ),
            settings.EventMapping(),
            settings.FeedbackSettings(),
            settings.HistorySettings(),
        )
        pipeline = tfx_pipeline.Pipeline(
            pipeline_name="heed",
            pipeline_root=str(tmp_path / "artifacts"),
            components=[events],
            enable_cache=True,
            metadata_connection_config=heed_pipeline.sqlite_connection(
                str(tmp_path / "metadata.sqlite")
            ),
            beam_pipeline_args=["--runner=FnApiRunner", "--sdk_container_image=none"],
        )
        ir = nodes.compile_pipeline(pipeline)
        run_id = next(runs)
        nodes.set_run_id(ir, run_id)
        return nodes.launch(ir, "EventExampleGen", run_id)

    return one_run


def test_only_what_lost_a_split_runs_again(launch):
    first = launch()
    assert launch().cached
    lost = first.artifacts["examples"].uri
    shutil.rmtree(os.path.join(lost, "Split-eval"))

    again = launch()

    assert not again.cached
    made = again.artifacts["examples"]
    assert made.uri != lost
    names = artifact_utils.decode_split_names(
        made.properties["split_names"].string_value
    )
    assert sorted(names) == ["eval", "test", "train"]
    for name in names:
        assert len(os.listdir(os.path.join(made.uri, f"Split-{name}"))) == 4


def shards(outputs):
    folder = os.path.join(outputs.artifacts["examples"].uri, "Split-train")
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def lose(path):
    os.remove(path)


def truncate(path):
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) - 1)


def flip(path):
    with open(path, "r+b") as file:
        first = file.read(1)[0]
        file.seek(0)
        file.write(bytes([first ^ 1]))


def add(path):
    shutil.copy(path, f"{path}-copy.gz")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lose, "is missing"),
        (truncate, "bytes instead of"),
        (flip, "has other content"),
        (add, "was added"),
    ],
)
def test_shard_that_is_no_longer_what_was_written_is_noticed(
    launch, caplog, change, told
):
    first = launch()
    whole = [pathlib.Path(path).read_bytes() for path in shards(first)]
    change(shards(first)[0])

    again = launch()

    assert not again.cached
    assert [pathlib.Path(path).read_bytes() for path in shards(again)] == whole
    assert told in caplog.text
    assert "EventExampleGen runs again" in caplog.text


def test_files_that_were_copied_whole_are_reused(launch):
    """From a backup, say: the times are others, and the content is not."""
    first = launch()
    for path in shards(first):
        os.utime(path, ns=(0, 0))

    assert launch().cached


def test_what_this_run_cannot_make_anew_is_refused(launch):
    examples = launch().artifacts["examples"]
    seals.refuse_changed([examples])
    os.remove(os.path.join(examples.uri, "Split-test", os.listdir(
        os.path.join(examples.uri, "Split-test"))[0]))  # fmt: skip

    with pytest.raises(errors.InputError, match=r"Split-test/.* is missing; make it"):
        seals.refuse_changed([examples])
