"""Loads an exported SavedModel, with the ScaNN ops it may hold, and calls it.

TensorFlow is imported on the first load, never with this module.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schema import errors
from serving.bundle import (
    faults,
    integrity,
    manifest,
    signature,
    validation,
    versions,
)

log = logging.getLogger(__name__)


class RetrievalModel:
    """A loaded SavedModel, called with numpy arrays; calls are thread safe."""

    def __init__(
        self,
        directory: str,
        loaded: Any,
        signature_defs: dict[str, Any],
        digest: str | None,
    ) -> None:
        """Wraps what `tf.saved_model.load` returned; use `load`.

        Args:
          directory: Of the model.
          loaded: The restored object, kept alive for its variables and tables.
          signature_defs: SignatureDef protos by name, for the metadata call.
          digest: Of all files of the model, as `integrity.check` found them.
        """
        self.directory = directory
        self.digest = digest
        self.signature_defs = signature_defs
        self._loaded = loaded
        self._functions = dict(loaded.signatures.items())
        self.signatures = {
            name: _describe(function) for name, function in self._functions.items()
        }

    @property
    def manifest(self) -> dict[str, Any]:
        """What IndexBuilder wrote about the model."""
        return manifest.read(self.directory)

    def predict(
        self,
        inputs: signature.Tensors,
        signature_name: str = signature.DEFAULT_SIGNATURE,
    ) -> signature.Tensors:
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
        inputs: signature.Tensors,
        signature_name: str = signature.DEFAULT_SIGNATURE,
    ) -> signature.Tensors:
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
        item_id: NDArray[np.object_],
        action: NDArray[np.object_],
        timestamp: NDArray[np.int64],
        value: NDArray[np.float32],
        k: int,
        exclude_item_id: NDArray[np.object_] | None = None,
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        """Returns the best candidates of each history.

        Args:
          item_id: [batch, length] bytes, b"" pads.
          action: [batch, length] bytes.
          timestamp: [batch, length] milliseconds UTC.
          value: [batch, length], NaN: absent.
          k: Results for every request.
          exclude_item_id: [batch, n] bytes; default: none.

        Returns:
          item_id: [batch, k] bytes, b"" pads.
          score: [batch, k], -inf pads.
        """
        batch = len(item_id)
        if exclude_item_id is None:
            exclude_item_id = np.zeros((batch, 0), object)
        answer = self.run(
            {
                signature.HISTORY_ITEM_ID: item_id,
                signature.HISTORY_ACTION: action,
                signature.HISTORY_TIMESTAMP: timestamp,
                signature.HISTORY_VALUE: value,
                signature.EXCLUDE_ITEM_ID: exclude_item_id,
                signature.K: np.full(batch, k, np.int32),
            }
        )
        return answer[signature.ITEM_ID], answer[signature.SCORE]


def _plain(array: NDArray[Any]) -> NDArray[Any]:
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


@contextlib.contextmanager
def _gradients_forgotten() -> Iterator[None]:
    """Unregisters what a load registers for gradients, which a served model has not.

    TensorFlow registers a gradient for functions of each model it loads and never
    forgets one, and with it all functions and constants of the model: 115 MB a load of
    a model of 9,125 items.
    """
    from tensorflow.python.framework import ops

    registered = ops.gradient_registry._registry
    known = set(registered)
    yield
    for name in registered.keys() - known:
        # Other threads may register something else meanwhile.
        if name.startswith("CustomGradient-"):
            del registered[name]


def load(path: str | Path) -> RetrievalModel:
    """Loads a model from a version directory, or the newest below its parent.

    Args:
      path: On this machine, or the version directory itself in a store that
        TensorFlow can read (`gs://bucket/...`).

    Raises:
      InputError: The folder holds no SavedModel, or one that cannot be loaded, that
        has no `serving_default`, or whose files are not those that were exported.
    """
    directory = str(path) if "://" in str(path) else str(versions.resolve(path))
    digest = integrity.check(directory)
    if digest is None:
        log.warning("%s tells no digests: its files are not verified", directory)
    import tensorflow as tf
    from tensorflow.python.saved_model import loader_impl

    # The import registers the ops of a ScaNN index; exact models do without.
    with contextlib.suppress(ImportError):
        from scann.scann_ops.py import scann_ops  # noqa: F401
    try:
        proto = loader_impl.parse_saved_model(directory)
        with _gradients_forgotten():
            loaded = tf.saved_model.load(directory)
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raise errors.InputError(
            f"{directory} holds a {versions.MODEL_FILE} that cannot be loaded: "
            f"{first_line}"
        ) from error
    if signature.DEFAULT_SIGNATURE not in loaded.signatures:
        names = ", ".join(loaded.signatures) or "none"
        raise errors.InputError(
            f"{directory} has no signature {signature.DEFAULT_SIGNATURE}; it has "
            f"{names}"
        )
    signature_defs = dict(proto.meta_graphs[0].signature_def.items())
    return RetrievalModel(directory, loaded, signature_defs, digest)


def load_exported(path: str | Path) -> RetrievalModel:
    """Loads a model that can be asked by `recommend`; see `load`.

    Raises:
      InputError: Besides, `serving_default` takes other inputs than a request has.
    """
    model = load(path)
    taken = sorted(model.signatures[signature.DEFAULT_SIGNATURE].inputs)
    wanted = sorted(signature.REQUEST_INPUTS)
    if taken != wanted:
        raise errors.InputError(
            f"`{signature.DEFAULT_SIGNATURE}` of {model.directory} must take {wanted}; "
            f"it takes {taken}"
        )
    return model
