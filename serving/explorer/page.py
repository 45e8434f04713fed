"""The what-if page: what a user is shown who said something, and who said nothing.

The left slate is the one before: liked items are merely watched, disliked ones were
never met, and stay out of the slate. The right one answers the history with its marks.
So what differs is what the user gets for having said something.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from aiohttp import web

from schema import errors
from serving import requests
from serving.bundle import audience, catalog, faults, signature
from serving.explorer import (
    action_names,
    comparison,
    example,
    likeness,
    posters,
    search,
)
from serving.server import endpoint, json_tensors, manager, request_body

PAGE = Path(__file__).with_name("page.html")

MARKS = ("like", "dislike")
_STEP_MS = 60_000
_MAX_HISTORY = 200
_MAX_SLATE = 100
_MAX_FOUND = 50
_MAX_ID = 200

# Everything is in the page itself. Pictures alone may come from elsewhere, and only
# from where the catalogue says.
_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src {}; base-uri 'none'; form-action 'none'"
)


def add_routes(app: web.Application, answers: endpoint.Endpoint) -> None:
    """Adds the page and its two calls to the REST application."""
    handlers = _Handlers(answers)
    app.router.add_get("/", handlers.page)
    app.router.add_get("/explore/items", handlers.items)
    app.router.add_get("/explore/example", handlers.example)
    app.router.add_post("/explore/slates", handlers.slates)
    app.router.add_post("/explore/events", handlers.events)


class _Bundle(NamedTuple):
    """What the page reads of a served model."""

    path: Path
    listed: search.Catalog
    resemblance: likeness.Resemblance
    actions: action_names.ActionNames
    example: list[tuple[str, str]]
    picture_sources: list[str]


class _Handlers:
    def __init__(self, answers: endpoint.Endpoint) -> None:
        self._answers = answers
        self._loaded: _Bundle | None = None
        self._lock = asyncio.Lock()

    async def page(self, request: web.Request) -> web.Response:
        pictures = ["data:"]
        # Without a version in service the page is there, and tells what its calls say.
        with contextlib.suppress(faults.RequestError):
            pictures += (await self._load(self._servable())).picture_sources
        policy = _SECURITY.format(" ".join(pictures))
        return web.Response(
            text=PAGE.read_text(encoding="utf-8"),
            content_type="text/html",
            headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"},
        )

    async def items(self, request: web.Request) -> web.Response:
        """Answers `q` (words) or `id` (repeated) with items."""
        listed = (await self._load(self._servable())).listed
        if ids := request.query.getall("id", []):
            found = [listed.get(item_id) for item_id in ids[:_MAX_HISTORY]]
        else:
            found = listed.search(request.query.get("q", ""), _MAX_FOUND)
        return web.json_response({"items": found, "size": len(listed)})

    async def example(self, request: web.Request) -> web.Response:
        """Answers with a history that shows what the page is for."""
        bundle = await self._load(self._servable())
        history = [
            {"item": bundle.listed.get(item_id), "mark": mark}
            for item_id, mark in bundle.example
            if not mark or bundle.actions.mark(mark)
        ]
        return web.json_response({"history": history})

    async def slates(self, request: web.Request) -> web.Response:
        """Answers a history with the slates before and after its marks."""
        servable = self._servable()
        bundle = await self._load(servable)
        body = await request_body.read(request, self._answers.settings)
        asked = parse_question(json_tensors.parse_object(body))
        seen = [item_id for item_id, _ in asked.history]
        inputs = requests.build_inputs(
            build_branches(asked.history, bundle.actions, int(time.time() * 1_000)),
            k=asked.k,
            exclude=[seen, seen],
        )
        is_controlled = signature.CONTROLLED_SIGNATURE in servable.model.signatures
        name = signature.DEFAULT_SIGNATURE
        if is_controlled:
            name = signature.CONTROLLED_SIGNATURE
            control = [asked.user_control] * 2
            inputs[signature.USER_CONTROL] = np.array(control, np.float32)
        outputs = await self._answers.predict(servable, inputs, name)
        if not asked.is_example:
            user_id = request.headers.get(endpoint.USER_ID_HEADER)
            # The second row is what the user was shown.
            self._answers.record(servable, _row(inputs, 1), _row(outputs, 1), user_id)
        before, after = requests.parse_outputs(outputs)
        return web.json_response(
            {
                "version": servable.version.number,
                "actions": bundle.actions._asdict(),
                "is_controlled": is_controlled,
                "is_logged": self._answers.said is not None,
                **comparison.compare(
                    before, after, asked.history, bundle.listed, bundle.resemblance
                ),
            }
        )

    async def events(self, request: web.Request) -> web.Response:
        """Writes what a user said of an item to the event log."""
        said = self._answers.said
        if said is None:
            raise faults.RequestError(
                "NOT_FOUND", "nothing is logged: `serving.event_log_dir` is empty"
            )
        bundle = await self._load(self._servable())
        body = await request_body.read(request, self._answers.settings)
        user_id, item_id, mark = parse_event(json_tensors.parse_object(body))
        action = bundle.actions.mark(mark) if mark else bundle.actions.base
        if action is None:
            raise faults.invalid(f"the model's feedback policy has no {mark}")
        now_ms = time.time_ns() // 1_000_000
        await asyncio.to_thread(said.add, user_id, item_id, action, now_ms)
        return web.json_response({"action": action})

    def _servable(self) -> manager.Servable:
        return self._answers.servable(endpoint.Target(self._answers.model_name))

    async def _load(self, servable: manager.Servable) -> _Bundle:
        path = servable.version.path
        async with self._lock:
            if self._loaded is None or self._loaded.path != path:
                try:
                    self._loaded = await asyncio.to_thread(_read, path)
                except (errors.InputError, OSError, ValueError) as error:
                    raise faults.RequestError("INTERNAL", str(error)) from error
            return self._loaded


def _read(path: Path) -> _Bundle:
    items, audiences = catalog.read(path), audience.read(path)
    pictures = posters.addresses(items)
    return _Bundle(
        path,
        search.Catalog(items, pictures),
        likeness.Resemblance(audiences),
        action_names.read(path),
        example.choose(audiences, items),
        posters.sources(pictures.values()),
    )


def _row(tensors: signature.Tensors, row: int) -> signature.Tensors:
    return {name: array[row : row + 1] for name, array in tensors.items()}


def parse_event(body: dict[str, Any]) -> tuple[str, str, str]:
    """Returns user id, item id and mark of a request's body.

    Raises:
      RequestError: INVALID_ARGUMENT, naming the key.
    """
    for key in ("user_id", "item_id"):
        value = body.get(key)
        if (
            not isinstance(value, str)
            or not value.strip()
            or len(value) > _MAX_ID
            or not value.isprintable()
        ):
            raise faults.invalid(
                f'"{key}" must be a text of 1 to {_MAX_ID} characters; got '
                f"{str(value)[:60]!r}"
            )
    mark = body.get("mark") or ""
    if mark and mark not in MARKS:
        raise faults.invalid(
            f'"mark" must be one of {", ".join(MARKS)} or empty; got {mark!r}'
        )
    return body["user_id"], body["item_id"], mark


class Question(NamedTuple):
    """What the page asks."""

    history: list[tuple[str, str]]
    """(item id, mark) of each element, oldest first."""
    k: int
    user_control: float
    """How far dislikes are answered, [0, 2]."""
    is_example: bool = False
    """Whether the history is one that nobody has, so that no log may hold it."""


def parse_question(body: dict[str, Any]) -> Question:
    """Returns the question of a request's body.

    Raises:
      RequestError: INVALID_ARGUMENT, naming the key.
    """
    rows = body.get("history")
    if not isinstance(rows, list) or len(rows) > _MAX_HISTORY:
        raise faults.invalid(f'"history" must be a list of at most {_MAX_HISTORY}')
    history = []
    for number, row in enumerate(rows):
        item_id = row.get("item_id") if isinstance(row, dict) else None
        if not isinstance(item_id, str) or not item_id:
            raise faults.invalid(f'"history" {number} needs a non-empty "item_id"')
        mark = row.get("mark") or ""
        if mark and mark not in MARKS:
            raise faults.invalid(
                f'"history" {number}: "mark" must be one of {", ".join(MARKS)} or '
                f"empty; got {mark!r}"
            )
        history.append((item_id, mark))
    k = body.get("k", 20)
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= _MAX_SLATE:
        raise faults.invalid(f'"k" must be in [1, {_MAX_SLATE}]; got {k!r}')
    control = body.get("user_control", 1.0)
    is_number = isinstance(control, int | float) and not isinstance(control, bool)
    if not is_number or not 0.0 <= control <= signature.MAX_USER_CONTROL:
        raise faults.invalid(
            f'"user_control" must be a number in [0, {signature.MAX_USER_CONTROL:g}]; '
            f"got {control!r}"
        )
    is_example = body.get("is_example", False)
    if not isinstance(is_example, bool):
        raise faults.invalid(f'"is_example" must be true or false; got {is_example!r}')
    return Question(history, k, float(control), is_example)


def build_branches(
    history: list[tuple[str, str]], actions: action_names.ActionNames, now_ms: int
) -> list[list[requests.Event]]:
    """Returns the history before and after its marks, one minute a step until now.

    Before, what is liked was merely watched and what is disliked was not met.

    Raises:
      RequestError: The model's feedback policy knows no such mark.
    """
    start_ms = now_ms - _STEP_MS * len(history)
    before, after = [], []
    for step, (item_id, mark) in enumerate(history):
        timestamp = start_ms + _STEP_MS * step
        event = requests.Event(item_id, actions.base, timestamp, actions.base_value)
        if mark != "dislike":
            before.append(event)
        if mark:
            action = actions.mark(mark)
            if action is None:
                raise faults.invalid(f"the model's feedback policy has no {mark}")
            event = event._replace(action=requests.join_actions(event.action, action))
        after.append(event)
    return [before, after]
