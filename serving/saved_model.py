"""Loads a pushed SavedModel, with the ScaNN ops it may hold, and calls it.

TensorFlow is imported on the first load, never with this module.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from schema import errors
from serving import faults, requests, signature, validation

MODEL_FILE = "saved_model.pb"


class VersionDir(NamedTuple):
    """One version of a model on disk.

    Attributes:
      number: The directory's name as an integer.
      path: The directory.
      fingerprint: Changes with any file of the version, so that one that was read
        half copied is read again.
    """

    number: int
    path: Path
    fingerprint: int


def list_versions(models_dir: str | Path) -> list[VersionDir]:
    """Returns the versions below a directory, oldest first.

    Only directories with an integer for a name and a `saved_model.pb` inside count:
    that file is copied last, so a version that has it is complete.
    """
    versions = []
    try:
        children = list(Path(models_dir).iterdir())
    except OSError:
        return []
    for child in children:
        if not (child.name.isascii() and child.name.isdigit()):
            continue
        if (child / MODEL_FILE).is_file():
            versions.append(VersionDir(int(child.name), child, _fingerprint(child)))
    return sorted(versions)


def _fingerprint(version_dir: Path) -> int:
    files = []
    for path in version_dir.rglob("*"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            files.append((str(path), stat.st_mtime_ns, stat.st_size))
    return hash(tuple(sorted(files)))


def latest_version_dir(models_dir: str | Path) -> Path:
    """Returns the newest version's directory.

    Raises:
      InputError: There is no such directory, or no version in it.
    """
    models_dir = Path(models_dir)
    if not models_dir.is_dir():
        raise errors.InputError(f"the models directory {models_dir} does not exist")
    versions = list_versions(models_dir)
    if not versions:
        found = ", ".join(sorted(p.name for p in models_dir.iterdir())[:5]) or "nothing"
        raise errors.InputError(
            f"{models_dir} holds no model: expected VERSION/{MODEL_FILE} with an "
            f"integer for VERSION; found {found}"
        )
    return versions[-1].path


def resolve(path: str | Path) -> Path:
    """Returns the version directory that a path means: itself, or its newest version.

    Raises:
      InputError: The path is neither.
    """
    path = Path(path)
    return path if (path / MODEL_FILE).is_file() else latest_version_dir(path)


class RetrievalModel:
    """A loaded SavedModel, called with numpy arrays; calls are thread safe."""

    def __init__(self, path: Path, loaded: Any, signature_defs: dict[str, Any]) -> None:
        """Wraps what `tf.saved_model.load` returned; use `load`.

        Args:
          path: The version directory.
          loaded: The restored object, kept alive for its variables and tables.
          signature_defs: SignatureDef protos by name, for the metadata call.
        """
        self.path = path
        self.signature_defs = signature_defs
        self._loaded = loaded
        self._functions = dict(loaded.signatures.items())
        self.signatures = {
            name: _describe(function) for name, function in self._functions.items()
        }

    def predict(
        self,
        inputs: dict[str, np.ndarray],
        signature_name: str = signature.DEFAULT_SIGNATURE,
    ) -> dict[str, np.ndarray]:
        """Returns the outputs of one signature, after a check of the inputs.

        Args:
          inputs: Arrays as `requests.build_inputs` makes them; text as bytes or str.
          signature_name: Which callable of the model.

        Returns:
          Arrays by output name; text is an object array of bytes.

        Raises:
          RequestError: (a ValueError) An input is missing, unknown, or of the wrong
            type or shape; or there is no such signature.
        """
        validation.check_inputs(inputs, self.find_signature(signature_name).inputs)
        return self.run(inputs, signature_name)

    def find_signature(self, name: str) -> signature.Signature:
        """Returns one signature; raises RequestError when there is none."""
        if name not in self.signatures:
            raise faults.invalid(
                f'the model has no signature "{name}"; it has '
                f"{', '.join(sorted(self.signatures))}"
            )
        return self.signatures[name]

    def run(
        self,
        inputs: dict[str, np.ndarray],
        signature_name: str = signature.DEFAULT_SIGNATURE,
    ) -> dict[str, np.ndarray]:
        """Calls one signature with inputs that were checked already."""
        import tensorflow as tf

        specs = self.signatures[signature_name].inputs
        tensors = {
            name: tf.constant(_plain(array), dtype=specs[name].dtype)
            for name, array in inputs.items()
        }
        try:
            outputs = self._functions[signature_name](**tensors)
        except tf.errors.InvalidArgumentError as error:
            first_line = error.message.partition("\n")[0]
            raise faults.invalid(
                f"the model refused the inputs: {first_line}"
            ) from error
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    def recommend(
        self,
        histories: list[list[requests.Event]],
        *,
        k: int,
        exclude: list[list[str]] | None = None,
    ) -> list[list[requests.Recommendation]]:
        """Returns the best items for each history; see `requests.build_inputs`."""
        inputs = requests.build_inputs(histories, k=k, exclude=exclude)
        return requests.parse_outputs(self.predict(inputs))


def _plain(array: np.ndarray) -> np.ndarray:
    # TensorFlow reads numpy's fixed-width text as it is, but not empty arrays of it.
    return array.astype(object) if array.dtype.kind in "SU" else array


def _describe(function: Any) -> signature.Signature:
    return signature.Signature(
        inputs={
            name: _tensor_spec(spec)
            for name, spec in function.structured_input_signature[1].items()
        },
        outputs={
            name: _tensor_spec(spec)
            for name, spec in function.structured_outputs.items()
        },
    )


def _tensor_spec(spec: Any) -> signature.TensorSpec:
    shape = None if spec.shape.rank is None else tuple(spec.shape.as_list())
    return signature.TensorSpec(spec.dtype.name, shape)


def load(path: str | Path) -> RetrievalModel:
    """Loads a model from a version directory, or the newest below its parent.

    Raises:
      InputError: The folder holds no SavedModel, or one that cannot be loaded or
        that has no `serving_default`.
    """
    version_dir = resolve(path)
    import tensorflow as tf
    from tensorflow.python.saved_model import loader_impl

    # The import registers the ops of a ScaNN index; exact models do without.
    with contextlib.suppress(ImportError):
        from scann.scann_ops.py import scann_ops  # noqa: F401
    try:
        proto = loader_impl.parse_saved_model(str(version_dir))
        loaded = tf.saved_model.load(str(version_dir))
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raise errors.InputError(
            f"{version_dir} holds a {MODEL_FILE} that cannot be loaded: {first_line}"
        ) from error
    if signature.DEFAULT_SIGNATURE not in loaded.signatures:
        names = ", ".join(loaded.signatures) or "none"
        raise errors.InputError(
            f"{version_dir} has no signature {signature.DEFAULT_SIGNATURE}; it has "
            f"{names}"
        )
    signature_defs = dict(proto.meta_graphs[0].signature_def.items())
    return RetrievalModel(version_dir, loaded, signature_defs)
