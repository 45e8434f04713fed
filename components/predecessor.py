"""Which model a new one is compared with: the last blessed, or what is served."""

from __future__ import annotations

import os

from absl import logging

from schema import errors
from serving.bundle import integrity, versions

SERVED_MODELS = "served_models"
"""Parameter of the steps that compare: the directory of versions that is pushed to."""


def find(blessed_dir: str | None, served_models: str | None) -> str | None:
    """Returns the directory of the model that must not be fallen behind.

    It is the last blessed model. Where the metadata know of none, or its files are gone
    or damaged, the newest served version stands for it: metadata and artifacts may be
    lost or begun anew, and what people are served must still not get worse.

    Args:
      blessed_dir: the SavedModel that was blessed last; None: none is known.
      served_models: directory of versions; None or empty: nothing is served.
    """
    if blessed_dir is not None and _is_whole(blessed_dir):
        return blessed_dir
    present = versions.numbers(served_models) if served_models else []
    if not present:
        return blessed_dir
    served = os.path.join(str(served_models), str(present[-1]))
    logging.info("the predecessor is the served version: %s", served)
    return served


def _is_whole(directory: str) -> bool:
    try:
        integrity.require(directory)
    except errors.InputError as damage:
        logging.warning("the last blessed model cannot be compared with: %s", damage)
        return False
    return True
