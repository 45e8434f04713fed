"""Files of others hold data and no code: what PyArrow before 14.0.1 does not ensure.

There a Parquet file may name a type whose description is a pickle, which is executed
when the file's schema is read (CVE-2023-47248). The pinned PyArrow of TFX is older.
"""

from __future__ import annotations

import importlib
import importlib.metadata


def forbid_code() -> None:
    """Makes PyArrow refuse such types; call it before a file of others is opened."""
    major = int(importlib.metadata.version("pyarrow").partition(".")[0])
    if major < 15:
        importlib.import_module("pyarrow_hotfix")
