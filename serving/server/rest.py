"""TensorFlow Serving's REST API on aiohttp, `/healthz` and metrics."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from serving.bundle import faults, signature, versions
from serving.server import (
    bulk,
    connections,
    endpoint,
    json_answers,
    json_tensors,
    messages,
    request_body,
)

log = logging.getLogger(__name__)

# Where TensorFlow Serving has them, with its monitoring switched on.
METRICS_PATH = "/monitoring/prometheus/metrics"

# The codes that TensorFlow Serving gives the same faults.
_HTTP_STATUS: dict[faults.FaultCode, int] = {
    "INVALID_ARGUMENT": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

# Of JSON, roughly, for one value.
_BYTES_PER_ELEMENT = 10

_MODEL = "/v1/models/{name:[^/:]+}"
_VERSION = "/versions/{version:[0-9]+}"
_LABEL = "/labels/{label:[^/:]+}"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(answers: endpoint.Endpoint) -> web.Application:
    """Returns the application; `answers` does the work."""
    app = web.Application(
        middlewares=[connections.middleware(lambda: answers.is_draining), _json_errors],
        client_max_size=answers.settings.max_body_bytes,
    )
    handlers = _Handlers(answers)
    for which in ("", _VERSION, _LABEL):
        path = _MODEL + which
        app.router.add_post(f"{path}:predict", handlers.predict)
        app.router.add_post(f"{path}:{{method:classify|regress}}", handlers.unknown)
        app.router.add_get(path, handlers.status)
        app.router.add_get(f"{path}/metadata", handlers.metadata)
    app.router.add_get("/healthz", handlers.health)
    app.router.add_get(METRICS_PATH, handlers.metrics)
    return app


class _Handlers:
    def __init__(self, answers: endpoint.Endpoint) -> None:
        self._answers = answers

    async def predict(self, request: web.Request) -> web.Response:
        body, refusal = None, None
        try:
            # Before the clock starts: a slow caller is no slow server.
            body = await request_body.read(request, self._answers.settings)
        except faults.RequestError as error:
            refusal = error
        with self._answers.counted("rest") as call:
            if refusal is not None:
                raise refusal
            return await self._predict(request, body or b"", call)

    async def _predict(
        self, request: web.Request, content: bytes, call: endpoint.Call
    ) -> web.Response:
        servable = self._answers.servable(_target(request))
        call.version = servable.version.number

        def parse() -> tuple[json_tensors.PredictBody, signature.Tensors]:
            body = json_tensors.parse_body(content)
            spec = servable.model.find_signature(body.signature_name)
            return body, json_tensors.to_arrays(body, spec.inputs)

        body, inputs = await bulk.run(parse, len(content) // _BYTES_PER_ELEMENT)
        outputs = await self._answers.predict(servable, inputs, body.signature_name)
        user_id = request.headers.get(endpoint.USER_ID_HEADER)
        self._answers.record(servable, inputs, outputs, user_id)
        answer = await bulk.run(
            lambda: json_answers.render(outputs, row_form=body.row_form),
            sum(array.size for array in outputs.values()),
        )
        return web.Response(body=answer, content_type="application/json")

    async def unknown(self, request: web.Request) -> web.Response:
        raise faults.RequestError(
            "UNIMPLEMENTED",
            f"{request.match_info['method']} is not supported; use predict",
        )

    async def status(self, request: web.Request) -> web.Response:
        statuses = self._answers.statuses(_target(request))
        return web.json_response(messages.to_json(messages.status_response(statuses)))

    async def metadata(self, request: web.Request) -> web.Response:
        servable = self._answers.servable(_target(request))
        return web.json_response(
            messages.metadata_json(self._answers.model_name, servable)
        )

    async def health(self, request: web.Request) -> web.Response:
        version = self._answers.models.current_version
        ready = version is not None and not self._answers.is_draining
        return web.json_response(
            {"ready": ready, "version": version}, status=200 if ready else 503
        )

    async def metrics(self, request: web.Request) -> web.Response:
        version = self._answers.models.current_version
        return web.Response(text=self._answers.counters.render(version))


def _target(request: web.Request) -> endpoint.Target:
    parts = request.match_info
    version = parts.get("version")
    if version is not None and not versions.is_number(version):
        raise faults.invalid(
            f"a version is an int64; got {len(version)} digits, {version[:20]}..."
        )
    return endpoint.Target(
        name=parts["name"],
        version=None if version is None else int(version),
        label=parts.get("label", ""),
    )


@web.middleware
async def _json_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except request_body.BodyError as error:
        # What is left of the body is not worth waiting for.
        return _error(error.http_status, str(error), {"Connection": "close"})
    except faults.RequestError as error:
        return _error(_HTTP_STATUS[error.code], str(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if error.status == 405 else {}
        return _error(
            error.status,
            f"{request.method} {request.path}: {error.text or error.reason}",
            headers,
        )
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return _error(500, "internal error; the server's log has the cause")


def _error(
    status: int, message: str, headers: dict[str, Any] | None = None
) -> web.Response:
    return web.json_response({"error": message}, status=status, headers=headers)
