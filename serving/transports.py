"""How the client's request travels: gRPC, or REST over the standard library."""

from __future__ import annotations

import base64
import http.client
import json
import math
import threading
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from serving.bundle import signature

_CODE_OF_HTTP = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ServingError(Exception):
    """The endpoint did not answer, or refused.

    Attributes:
      code: A gRPC status name. INVALID_ARGUMENT and NOT_FOUND: the request or the
        model's name or version is wrong, a retry is useless. DEADLINE_EXCEEDED and
        UNAVAILABLE: the client has spent its retries or its time.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Transport(Protocol):
    """Sends one request, once."""

    def predict(
        self, inputs: signature.Tensors, timeout_sec: float, signature_name: str
    ) -> signature.Tensors:
        """Returns the outputs of a signature; raises ServingError."""
        ...

    def close(self) -> None:
        """Closes connections."""
        ...


def connect(
    protocol: Literal["grpc", "rest"],
    target: str,
    model_name: str,
    version: int | None = None,
    label: str = "",
) -> Transport:
    """Returns the transport of a protocol; raises ValueError for an unknown one."""
    if protocol == "grpc":
        return GrpcTransport(target, model_name, version, label)
    if protocol == "rest":
        return RestTransport(target, model_name, version, label)
    raise ValueError(f"`protocol` must be grpc or rest; got {protocol!r}")


class GrpcTransport:
    """One channel to PredictionService."""

    def __init__(
        self, target: str, model_name: str, version: int | None, label: str
    ) -> None:
        """Opens the channel lazily, as gRPC does."""
        import grpc

        from serving import wire

        self._grpc = grpc
        self._wire = wire
        self._model_name, self._version, self._label = model_name, version, label
        self._channel = grpc.insecure_channel(
            target, options=(("grpc.max_receive_message_length", -1),)
        )
        self._call = self._channel.unary_unary(
            wire.PREDICT_METHOD,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=wire.message_class("PredictResponse").FromString,
        )

    def predict(
        self, inputs: signature.Tensors, timeout_sec: float, signature_name: str
    ) -> signature.Tensors:
        """Sends once; raises ServingError."""
        request = self._wire.predict_request(
            inputs, self._model_name, signature_name, self._version, self._label
        )
        try:
            answer = self._call(request, timeout=timeout_sec)
        except self._grpc.RpcError as error:
            code = error.code().name
            # We never cancel. A server that shuts down does, to calls that it has
            # received and not begun: worth another attempt, like a refused one.
            code = "UNAVAILABLE" if code == "CANCELLED" else code
            raise ServingError(code, error.details()) from error
        outputs: signature.Tensors = self._wire.outputs_of(answer)
        return outputs

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()


class RestTransport:
    """One kept-alive HTTP connection for each thread."""

    def __init__(
        self, target: str, model_name: str, version: int | None, label: str
    ) -> None:
        """Connects with the first request."""
        host, _, port = target.removeprefix("http://").rstrip("/").rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"`target` must be HOST:PORT; got {target!r}")
        self._address = (host, int(port))
        which = f"/labels/{label}" if label else ""
        which = which if version is None else f"/versions/{version}"
        self._path = f"/v1/models/{model_name}{which}:predict"
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[http.client.HTTPConnection] = []

    def predict(
        self, inputs: signature.Tensors, timeout_sec: float, signature_name: str
    ) -> signature.Tensors:
        """Sends once; raises ServingError."""
        body = json.dumps(
            {
                "signature_name": signature_name,
                "inputs": {name: _to_json(array) for name, array in inputs.items()},
            }
        ).encode()
        status, answer = self._post(body, timeout_sec)
        try:
            parsed = json.loads(answer)
        except ValueError:
            parsed = {"error": answer[:200].decode(errors="replace")}
        if status != 200:
            code = _CODE_OF_HTTP.get(status, "INTERNAL")
            raise ServingError(code, parsed.get("error", f"HTTP {status}"))
        return _outputs(parsed["outputs"])

    def _post(self, body: bytes, timeout_sec: float) -> tuple[int, bytes]:
        fresh = getattr(self._local, "connection", None) is None
        connection = self._connection()
        connection.timeout = timeout_sec
        try:
            if connection.sock is not None:
                connection.sock.settimeout(timeout_sec)
            headers = {"Content-Type": "application/json"}
            connection.request("POST", self._path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError as error:
            connection.close()
            raise ServingError(
                "DEADLINE_EXCEEDED", f"no answer within {timeout_sec:.3g} s"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not fresh:
                # The server may have closed an idle connection; that is no failure.
                self._local.connection = None
                return self._post(body, timeout_sec)
            raise ServingError("UNAVAILABLE", str(error)) from error

    def _connection(self) -> http.client.HTTPConnection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(*self._address)
            self._local.connection = connection
            with self._lock:
                self._connections.append(connection)
        return connection

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()


def _to_json(array: NDArray[Any]) -> Any:
    if array.dtype.kind not in "OSU":
        return array.tolist()
    return [_to_json(row) for row in array] if array.ndim > 1 else _texts(array)


def _texts(values: NDArray[Any]) -> list[Any]:
    texts: list[Any] = []
    for value in values:
        raw = value.encode() if isinstance(value, str) else value
        try:
            texts.append(raw.decode())
        except UnicodeDecodeError:
            texts.append({"b64": base64.b64encode(raw).decode()})
    return texts


def _outputs(columns: dict[str, Any]) -> signature.Tensors:
    item_ids = [[_raw(value) for value in row] for row in columns[signature.ITEM_ID]]
    scores = [
        [-math.inf if value is None else value for value in row]
        for row in columns[signature.SCORE]
    ]
    return {
        signature.ITEM_ID: np.array(item_ids, dtype=object),
        signature.SCORE: np.array(scores, dtype=np.float32),
    }


def _raw(value: Any) -> bytes:
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return str(value).encode()
