import pathlib

import pandas as pd
import pytest

from pipeline.synthesize import settings as synthesis
from pipeline.synthesize import writer
from schema import errors
from tests.unit.synthesize.written_log import digests, write


def test_a_failed_run_leaves_nothing_behind(tmp_path):
    def fail(done, total):
        raise KeyboardInterrupt

    settings = synthesis.SynthesisSettings(users=10, events=100)
    with pytest.raises(KeyboardInterrupt):
        writer.synthesize(settings, tmp_path / "log", fail)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_log_is_replaced_and_survives_a_failure(tmp_path):
    folder = tmp_path / "log"
    write(folder, users=10, events=100)
    before = digests(folder)

    def fail(done, total):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        writer.synthesize(
            synthesis.SynthesisSettings(users=10, events=200), folder, fail
        )
    assert digests(folder) == before
    write(folder, users=10, events=200)
    assert len(pd.read_parquet(folder / "events.parquet")) == 200
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_an_empty_directory_is_taken(tmp_path):
    write(tmp_path, users=10, events=100)
    assert (tmp_path / "events.parquet").is_file()


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_foreign_content_is_not_overwritten(tmp_path, kind):
    output = tmp_path / "mine"
    if kind == "file":
        output.write_text("precious")
        content = output
    else:
        output.mkdir()
        content = output / "thesis.txt"
        content.write_text("precious")
    with pytest.raises(errors.InputError, match="mine"):
        write(output)
    assert content.read_text() == "precious"


def test_the_result_names_the_directory_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, summary = write(pathlib.Path("nested/log"), users=2, events=10)
    assert summary["output"] == "nested/log"
    assert (tmp_path / "nested" / "log" / "items.parquet").is_file()
