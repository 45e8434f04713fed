"""The answers of TensorFlow Serving's status and metadata calls, as its messages."""

from __future__ import annotations

import inspect
from typing import Any

from google.protobuf import json_format
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.server import manager

SIGNATURE_DEF = "signature_def"
"""The one metadata field there is."""

# Protobuf 5 renamed the option. Both locked sets are served from this code.
_WITH_DEFAULTS = (
    "always_print_fields_with_no_presence"
    if "always_print_fields_with_no_presence"
    in inspect.signature(json_format.MessageToDict).parameters
    else "including_default_value_fields"
)


def status_response(statuses: list[manager.VersionStatus]) -> Any:
    """Returns a GetModelStatusResponse."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in statuses:
        one = response.model_version_status.add()
        one.version = status.version
        one.state = get_model_status_pb2.ModelVersionStatus.State.Value(status.state)
        one.status.error_code = (
            error_codes_pb2.INTERNAL if status.error else error_codes_pb2.OK
        )
        one.status.error_message = status.error
    return response


def metadata_response(model_name: str, servable: manager.Servable) -> Any:
    """Returns a GetModelMetadataResponse with the model's signatures."""
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = model_name
    response.model_spec.version.value = servable.version.number
    response.metadata[SIGNATURE_DEF].Pack(_signature_map(servable))
    return response


def _signature_map(servable: manager.Servable) -> Any:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature_def in servable.model.signature_defs.items():
        signatures.signature_def[name].CopyFrom(signature_def)
    return signatures


def to_json(message: Any) -> dict[str, Any]:
    """Returns a message as JSON: original field names, default values included."""
    content: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, **{_WITH_DEFAULTS: True}
    )
    return content


def metadata_json(model_name: str, servable: manager.Servable) -> dict[str, Any]:
    """Returns the body of `GET .../metadata`."""
    response = metadata_response(model_name, servable)
    return {
        "model_spec": to_json(response.model_spec),
        # Without the type name that an Any carries: TensorFlow Serving unpacks it.
        "metadata": {SIGNATURE_DEF: to_json(_signature_map(servable))},
    }
