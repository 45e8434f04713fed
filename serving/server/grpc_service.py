"""TensorFlow Serving's gRPC services: prediction and model status."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.bundle import faults, signature
from serving.server import (
    bulk,
    endpoint,
    health,
    messages,
    reflection,
    tensor_proto,
)

log = logging.getLogger(__name__)

# Of a message, roughly, for one value.
_BYTES_PER_ELEMENT = 10
_Method = Callable[[Any, Any, grpc.aio.ServicerContext], Awaitable[Any]]


def build_server(answers: endpoint.Endpoint) -> grpc.aio.Server:
    """Returns a server with all its services, not yet bound to a port."""
    chosen = answers.settings
    server = grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", chosen.max_body_bytes),
            # Answers are bounded before they are computed: `max_results`.
            ("grpc.max_send_message_length", -1),
            ("grpc.server_handshake_timeout_ms", _msec(chosen.read_timeout_sec)),
            ("grpc.max_connection_idle_ms", _msec(chosen.idle_timeout_sec)),
            ("grpc.max_allowed_incoming_connections", chosen.max_connections),
            # Otherwise a second server would silently share the port with the first.
            ("grpc.so_reuseport", 0),
        )
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(answers), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        ModelService(answers), server
    )
    services = (
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
    )
    server.add_generic_rpc_handlers((health.Health(answers, services).handler(),))
    reflection.enable(server, (*services, health.SERVICE))
    return server


def _msec(sec: float) -> int:
    return max(1, round(sec * 1_000))


def _with_status(method: _Method) -> _Method:
    """Turns faults into gRPC status codes."""

    @functools.wraps(method)
    async def wrapped(
        self: Any, request: Any, context: grpc.aio.ServicerContext
    ) -> Any:
        try:
            return await method(self, request, context)
        except faults.RequestError as error:
            await context.abort(grpc.StatusCode[error.code], str(error))
        except Exception:
            log.exception("%s failed", method.__name__)
            await context.abort(
                grpc.StatusCode.INTERNAL,
                "internal error; the server's log has the cause",
            )

    return wrapped


def _target(spec: Any) -> endpoint.Target:
    return endpoint.Target(
        name=spec.name,
        version=spec.version.value if spec.HasField("version") else None,
        label=spec.version_label,
    )


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """`Predict` and `GetModelMetadata`; the other calls say what to use instead."""

    def __init__(self, answers: endpoint.Endpoint) -> None:
        self._answers = answers

    @_with_status
    async def Predict(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Answers a PredictRequest with a PredictResponse."""
        with self._answers.counted("grpc") as call:
            metadata = dict(context.invocation_metadata() or ())
            user_id = metadata.get(endpoint.USER_ID_HEADER)
            return await self._predict(request, call, user_id)

    async def _predict(
        self, request: Any, call: endpoint.Call, user_id: str | None
    ) -> Any:
        servable = self._answers.servable(_target(request.model_spec))
        call.version = servable.version.number
        name = request.model_spec.signature_name or signature.DEFAULT_SIGNATURE
        most = self._answers.settings.max_elements

        def read() -> signature.Tensors:
            return {
                key: tensor_proto.to_array(key, proto, most)
                for key, proto in request.inputs.items()
            }

        inputs = await bulk.run(read, request.ByteSize() // _BYTES_PER_ELEMENT)
        outputs = await self._answers.predict(
            servable, inputs, name, tuple(request.output_filter)
        )
        self._answers.record(servable, inputs, outputs, user_id)

        def write() -> Any:
            response = predict_pb2.PredictResponse()
            response.model_spec.CopyFrom(request.model_spec)
            response.model_spec.version.value = servable.version.number
            response.model_spec.signature_name = name
            for key, array in outputs.items():
                response.outputs[key].CopyFrom(tf.make_tensor_proto(array))
            return response

        return await bulk.run(write, sum(array.size for array in outputs.values()))

    @_with_status
    async def GetModelMetadata(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> Any:
        """Answers a GetModelMetadataRequest; `signature_def` is the one field."""
        if not request.metadata_field:
            raise faults.invalid('"metadata_field" must hold "signature_def"')
        for field in request.metadata_field:
            if field != messages.SIGNATURE_DEF:
                raise faults.invalid(
                    f'unknown metadata field "{field}"; "signature_def" is the one '
                    "there is"
                )
        servable = self._answers.servable(_target(request.model_spec))
        return messages.metadata_response(self._answers.model_name, servable)

    @_with_status
    async def Classify(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Refuses: a slate is no class."""
        raise _unimplemented("Classify", "call Predict")

    @_with_status
    async def Regress(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Refuses: a slate is no number."""
        raise _unimplemented("Regress", "call Predict")

    @_with_status
    async def MultiInference(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> Any:
        """Refuses: it is made of `Classify` and `Regress`."""
        raise _unimplemented("MultiInference", "call Predict with several rows")


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """`GetModelStatus`; versions come and go by the directory alone."""

    def __init__(self, answers: endpoint.Endpoint) -> None:
        self._answers = answers

    @_with_status
    async def GetModelStatus(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> Any:
        """Answers a GetModelStatusRequest."""
        statuses = self._answers.statuses(_target(request.model_spec))
        return messages.status_response(statuses)

    @_with_status
    async def HandleReloadConfigRequest(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> Any:
        """Refuses: there is no configuration to reload."""
        raise _unimplemented(
            "ReloadConfig", "push a version into the models directory; it is watched"
        )


def _unimplemented(call: str, instead: str) -> faults.RequestError:
    return faults.RequestError(
        "UNIMPLEMENTED", f"{call} is not supported by this server: {instead}"
    )
