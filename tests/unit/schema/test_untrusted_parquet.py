"""A Parquet file that carries code, read by each reader of ours in a fresh process."""

import importlib.metadata
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).parents[3]
# Without the fix, so that the file can be written at all.
_WRITE = """
import os, sys
import pyarrow as pa
from pyarrow import parquet

class Evil(pa.PyExtensionType):
    def __init__(self):
        super().__init__(pa.string())
    def __reduce__(self):
        return os.mkdir, (sys.argv[2],)

rows = pa.array(["a"])
table = pa.table({
    "user_id": rows, "item_id": rows, "action": rows, "timestamp": pa.array([1]),
    "evil": pa.ExtensionArray.from_storage(Evil(), rows),
})
parquet.write_table(table, sys.argv[1])
"""
_READERS = {
    "history": (
        "import sys; from serving import history_file; "
        "history_file.read_history(sys.argv[1])"
    ),
    "ingestion": (
        "import sys; from components.ingestion import read_parquet; "
        "print(read_parquet.open_file(open(sys.argv[1], 'rb')).schema_arrow)"
    ),
    "report": (
        "import pathlib, sys; from pipeline.report import rank_curve; "
        "rank_curve.read(pathlib.Path(sys.argv[1]))"
    ),
}


def python(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", *map(str, arguments)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(
    int(importlib.metadata.version("pyarrow").partition(".")[0]) >= 15,
    reason="this PyArrow executes nothing by itself",
)
@pytest.mark.parametrize("reader", _READERS)
def test_code_in_a_parquet_file_is_not_executed(reader, tmp_path):
    file, proof = tmp_path / "log.parquet", tmp_path / "executed"
    written = python(_WRITE, file, proof)
    assert file.exists(), written.stderr
    if proof.exists():
        proof.rmdir()
    # The file is what it should be: PyArrow alone executes it.
    python("import sys; from pyarrow import parquet; "
           "parquet.ParquetFile(sys.argv[1]).schema_arrow", file)  # fmt: skip
    assert proof.exists()
    proof.rmdir()

    python(_READERS[reader], file)

    assert not proof.exists()
