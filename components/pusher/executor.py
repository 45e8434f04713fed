"""Executor of Pusher: never half a version, never the same model twice."""

from __future__ import annotations

import os
import shutil
import time

from absl import logging
from tfx.components.pusher import executor as tfx_pusher
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, proto_utils

from components.specs import Artifacts, Properties
from schema import errors
from serving.bundle import integrity, manifest, versions

INCOMPLETE_PREFIX = ".incomplete-"
"""Begins the name of a version that is being copied."""
VERDICT_FILE = os.path.join("assets.extra", "verdict.json")
"""What the gate saw of the pushed model: each rule, observed and required."""


class Executor(tfx_pusher.Executor):
    """Pushes a blessed model as a new version, unless it is the newest already."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Pushes.

        Args:
          input_dict: `model`, `model_blessing`, `infra_blessing`.
          output_dict: `pushed_model`; its properties tell version and destination.
          exec_properties: `push_destination`, TFX's proto as JSON.

        Raises:
          RuntimeError: a blessing is not wired; TFX's own Pusher would only warn.
          DamagedModelError: the model, or its copy, is not what was exported.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        for key in ("model_blessing", "infra_blessing"):
            if not input_dict.get(key):
                raise RuntimeError(f"nothing is pushed without `{key}`")
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination
        )
        blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        version_dir = push(
            self.GetModelPath(input_dict),
            destination.filesystem.base_directory,
            blessing.get_string_custom_property("verdict"),
        )
        self._MarkPushed(
            pushed,
            pushed_destination=version_dir,
            pushed_version=os.path.basename(version_dir),
        )


def choose_version(model_path: str, base_directory: str) -> int:
    """Returns the version under which a model is served, or will be.

    It is the newest where that one holds this model already, undamaged, and otherwise
    a number above all that were ever used, withdrawn ones included: servers and logs
    know them.

    Args:
      model_path: directory of the SavedModel.
      base_directory: of the versions.
    """
    present = versions.numbers(base_directory)
    if present and _holds(os.path.join(base_directory, str(present[-1])), model_path):
        return present[-1]
    withdrawn = versions.numbers(os.path.join(base_directory, versions.WITHDRAWN_DIR))
    # Two pushes may fall into one second.
    return max([int(time.time()), *(v + 1 for v in (*present, *withdrawn))])


def _holds(version_dir: str, model_path: str) -> bool:
    """Returns whether a version is this model, and whole."""
    model_id = manifest.model_id(model_path)
    try:
        same = model_id is not None and manifest.model_id(version_dir) == model_id
        if same:
            integrity.require(version_dir)
    except errors.InputError as damage:
        logging.warning("the model is pushed as a new version: %s", damage)
        return False
    return same


def push(
    model_path: str, base_directory: str, verdict: str = "", version: int | None = None
) -> str:
    """Copies the model to a version and returns the version's directory.

    A version that is there already is returned as it is.

    Args:
      model_path: directory of the SavedModel.
      base_directory: of the versions.
      verdict: the gate's, as JSON; it lies beside the manifest of the pushed model.
      version: what `choose_version` returned earlier; None: it is asked.

    Raises:
      DamagedModelError: the model, or its copy, is not what was exported.
    """
    if version is None:
        version = choose_version(model_path, base_directory)
    version_dir = os.path.join(base_directory, str(version))
    if version in versions.numbers(base_directory):
        logging.info("the model is served already, in %s", version_dir)
        return version_dir
    digest = integrity.require(model_path)
    if "://" in base_directory:
        # Object stores have no rename of directories. TensorFlow Serving takes
        # saved_model.pb for the sign that a version is complete: it comes last.
        io_utils.copy_dir(
            model_path, version_dir, deny_regex_patterns=[r"saved_model\.pb"]
        )
        _write_verdict(version_dir, verdict)
        io_utils.copy_file(
            os.path.join(model_path, versions.MODEL_FILE),
            os.path.join(version_dir, versions.MODEL_FILE),
        )
        try:
            _check_copy(version_dir, digest)
        except BaseException:
            fileio.remove(os.path.join(version_dir, versions.MODEL_FILE))
            raise
        return version_dir
    aside = os.path.join(base_directory, f"{INCOMPLETE_PREFIX}{version}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        shutil.copytree(model_path, aside)
        _write_verdict(aside, verdict)
        _check_copy(aside, digest)
        os.replace(aside, version_dir)
    except BaseException:
        # A full disk would be filled again by each attempt.
        shutil.rmtree(aside, ignore_errors=True)
        raise
    logging.info("the model is version %d", version)
    return version_dir


def _check_copy(directory: str, digest: str) -> None:
    found = integrity.require(directory)
    if found != digest:
        raise integrity.DamagedModelError(
            f"{directory} was to be a copy of a model of the digest {digest}; it has "
            f"{found}: the model was replaced while it was copied. Run again"
        )


def _write_verdict(version_dir: str, verdict: str) -> None:
    if verdict:
        io_utils.write_string_file(os.path.join(version_dir, VERDICT_FILE), verdict)
