"""What a SavedModel answers by, as one digest: the graph, its values, its assets.

The bytes of `saved_model.pb` will not do. Names of functions and nodes carry counters
of the process that wrote them, and protobuf writes its maps in any order. So each
signature is read from its results backwards: a node is its operation, its attributes
and what it reads, whatever it is called.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import trackable_object_graph_pb2
from tensorflow.python.saved_model import loader_impl

_VARIABLES = os.path.join("variables", "variables")
_NAMES_ALONE = frozenset({"shared_name", "container", "config", "config_proto"})
"""Attributes that tell where a state lives or how it runs, and never an answer."""
_OF_A_RESOURCE = ("_create_resource", "_initialize")


def of_answers(directory: str) -> str:
    """Returns the digest of all that the signatures of a SavedModel depend on.

    Args:
      directory: of the SavedModel.

    Returns:
      64 hexadecimal digits: the same for a model that is exported once more.
    """
    return _Model(directory).digest()


def _joined(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(content) + content)
    return digest.hexdigest()


def _content(value: Any) -> bytes:
    """Returns an attribute's content; that of a constant is a value."""
    content: bytes = value.SerializeToString(deterministic=True)
    return content


class _Model:
    """A SavedModel on disk, read without being loaded."""

    def __init__(self, directory: str):
        self._directory = directory
        saved = loader_impl.parse_saved_model(directory)
        (self._graph,) = saved.meta_graphs
        self._objects = self._graph.object_graph_def
        self._functions = _Functions(self._graph.graph_def.library.function)
        self._constants = {node.name: node for node in self._graph.graph_def.node}
        self._found: dict[int, str] = {}
        self._reader = tf.train.load_checkpoint(os.path.join(directory, _VARIABLES))
        tracked = trackable_object_graph_pb2.TrackableObjectGraph()
        tracked.ParseFromString(self._reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
        # Its nodes are those of the object graph, by the same numbers.
        self._tracked = tracked.nodes

    def digest(self) -> str:
        """Returns that of all signatures: what they promise, and how they answer."""
        signatures = self._child(0, "signatures")
        parts = []
        for child in sorted(
            self._objects.nodes[signatures].children, key=lambda child: child.local_name
        ):
            parts += [child.local_name, self._object(child.node_id)]
        return _joined(*parts, *self._promises())

    def _promises(self) -> Iterator[str]:
        """Yields the inputs and outputs that each signature promises."""
        for name, signature in sorted(self._graph.signature_def.items()):
            for side in (signature.inputs, signature.outputs):
                for key, tensor in sorted(side.items()):
                    yield _joined(
                        name, key, str(tensor.dtype), str(tensor.tensor_shape)
                    )

    def _child(self, node_id: int, name: str) -> int:
        found: list[int] = [
            child.node_id
            for child in self._objects.nodes[node_id].children
            if child.local_name == name
        ]
        return found[0]

    def _object(self, node_id: int) -> str:
        """Returns the digest of what a function may capture."""
        if node_id not in self._found:
            # A table's initialiser captures the table.
            self._found[node_id] = "itself"
            self._found[node_id] = self._read(node_id)
        return self._found[node_id]

    def _read(self, node_id: int) -> str:
        node = self._objects.nodes[node_id]
        kind = node.WhichOneof("kind")
        if kind in ("function", "bare_concrete_function"):
            return self._concrete(node)
        if kind == "variable":
            shape = [dim.size for dim in node.variable.shape.dim]
            described = (kind, str(node.variable.dtype), str(shape))
            (value,) = self._tracked[node_id].attributes
            tensor = np.asarray(self._reader.get_tensor(value.checkpoint_key))
            return _joined(*described, _bytes(tensor))
        if kind == "constant":
            constant = self._constants[node.constant.operation].attr["value"]
            return _joined(kind, _content(constant))
        if kind == "asset":
            name = self._graph.asset_file_def[node.asset.asset_file_def_index].filename
            return _joined(kind, self._asset(name))
        parts = [
            self._object(child.node_id)
            for name in _OF_A_RESOURCE
            for child in node.children
            if child.local_name == name
        ]
        return _joined(str(kind), *parts)

    def _asset(self, name: str) -> bytes:
        with tf.io.gfile.GFile(
            os.path.join(self._directory, "assets", name), "rb"
        ) as file:
            content: bytes = file.read()
        return content

    def _concrete(self, node: Any) -> str:
        """Returns the digest of a function and of what it has captured."""
        if node.HasField("bare_concrete_function"):
            names = [node.bare_concrete_function.concrete_function_name]
        else:
            names = list(node.function.concrete_functions)
        return _joined(
            *(
                _joined(
                    self._functions.digest(name),
                    *map(
                        self._object,
                        self._objects.concrete_functions[name].bound_inputs,
                    ),
                )
                for name in names
            )
        )


def _bytes(tensor: NDArray[Any]) -> bytes:
    return str(tensor.tolist()).encode() if tensor.dtype == object else tensor.tobytes()


class _Functions:
    """The library of a graph: each function by what it computes, not by its name."""

    def __init__(self, functions: Iterable[Any]):
        """Takes FunctionDef protos."""
        self._by_name = {f.signature.name: f for f in functions}
        self._found: dict[str, str] = {}

    def digest(self, name: str) -> str:
        """Returns the digest of a function's results, of its arguments by position."""
        if name not in self._found:
            self._found[name] = self._compute(self._by_name[name])
        return self._found[name]

    def _compute(self, function: Any) -> str:
        known = {
            argument.name: _joined("argument", str(position), str(argument.type))
            for position, argument in enumerate(function.signature.input_arg)
        }
        nodes = {node.name: node for node in function.node_def}

        def reference(read: str) -> str:
            name, _, output = read.lstrip("^").partition(":")
            return _joined(resolve(name), output)

        def resolve(name: str) -> str:
            # Not by recursion: a chain of nodes is deeper than Python's stack.
            waiting = [name]
            while waiting:
                current = waiting[-1]
                if current in known:
                    waiting.pop()
                    continue
                read = [i.lstrip("^").partition(":")[0] for i in nodes[current].input]
                missing = [i for i in read if i not in known]
                if missing:
                    waiting += missing
                    continue
                known[current] = self._node(nodes[current], reference)
                waiting.pop()
            return known[name]

        results = [
            (output.name, reference(function.ret[output.name]))
            for output in function.signature.output_arg
        ]
        effects = sorted(resolve(name) for name in function.control_ret.values())
        return _joined(*(digest for _, digest in results), "effects", *effects)

    def _node(self, node: Any, reference: Callable[[str], str]) -> str:
        data = [reference(i) for i in node.input if not i.startswith("^")]
        before = sorted(reference(i) for i in node.input if i.startswith("^"))
        attributes = [
            part
            for name, value in sorted(node.attr.items())
            if not name.startswith("_") and name not in _NAMES_ALONE
            for part in (name, self._attribute(value))
        ]
        return _joined(node.op, *attributes, "reads", *data, "after", *before)

    def _attribute(self, value: Any) -> str | bytes:
        kind = value.WhichOneof("value")
        if kind == "func":
            return self.digest(value.func.name)
        if kind == "list" and value.list.func:
            return _joined(*(self.digest(f.name) for f in value.list.func))
        return _content(value)
