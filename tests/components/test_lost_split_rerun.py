"""A step whose examples lost a split is launched anew, not taken from the cache."""

import os
import shutil

import pytest
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.types import artifact_utils

from components.event_example_gen import component
from pipeline import pipeline as heed_pipeline
from pipeline.runners import nodes
from schema import settings

NOW = 1_700_000_000_000
LOG = "user_id,item_id,timestamp,action\n" + "".join(
    f"u{n % 2},i{n},{NOW + n},like\n" for n in range(10)
)


@pytest.fixture
def launch(tmp_path):
    """Launches the one step of a pipeline; the same as before every time."""
    (tmp_path / "log.csv").write_text(LOG)
    runs = iter("abc")

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
