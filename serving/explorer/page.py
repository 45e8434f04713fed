"""The what-if page: one history, with and without its likes and dislikes.

The left slate answers the history as it was watched; the right one answers the same
history with its marks. So what differs is what the model makes of the feedback.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from schema import errors
from serving import requests
from serving.bundle import catalog, faults, signature
from serving.explorer import action_names, search
from serving.server import endpoint, manager

PAGE = Path(__file__).with_name("page.html")

MARKS = ("like", "dislike")
_STEP_MS = 60_000
_MAX_HISTORY = 200
_MAX_SLATE = 100
_MAX_FOUND = 50

# Everything is in the page itself; nothing may be fetched from elsewhere.
_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)


def add_routes(app: web.Application, answers: endpoint.Endpoint) -> None:
    """Adds the page and its two calls to the REST application."""
    handlers = _Handlers(answers)
    app.router.add_get("/", handlers.page)
    app.router.add_get("/explore/items", handlers.items)
    app.router.add_post("/explore/slates", handlers.slates)


class _Handlers:
    def __init__(self, answers: endpoint.Endpoint) -> None:
        self._answers = answers
        self._loaded: tuple[Path, search.Catalog, action_names.ActionNames] | None
        self._loaded = None
        self._lock = asyncio.Lock()

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(
            text=PAGE.read_text(encoding="utf-8"),
            content_type="text/html",
            headers={"Content-Security-Policy": _SECURITY, "Cache-Control": "no-cache"},
        )

    async def items(self, request: web.Request) -> web.Response:
        """Answers `q` (words) or `id` (repeated) with items."""
        listed, _ = await self._load(self._servable())
        if ids := request.query.getall("id", []):
            found = [listed.get(item_id) for item_id in ids[:_MAX_HISTORY]]
        else:
            found = listed.search(request.query.get("q", ""), _MAX_FOUND)
        return web.json_response({"items": found, "size": len(listed)})

    async def slates(self, request: web.Request) -> web.Response:
        """Answers a history with the slates before and after its marks."""
        servable = self._servable()
        listed, actions = await self._load(servable)
        history, k = parse_question(await _json_object(request))
        seen = [item_id for item_id, _ in history]
        inputs = requests.build_inputs(
            build_branches(history, actions, int(time.time() * 1_000)),
            k=k,
            exclude=[seen, seen],
        )
        outputs = await self._answers.predict(
            servable, inputs, signature.DEFAULT_SIGNATURE
        )
        before, after = requests.parse_outputs(outputs)
        return web.json_response(
            {
                "version": servable.version.number,
                "actions": actions._asdict(),
                **compare(before, after, history, listed),
            }
        )

    def _servable(self) -> manager.Servable:
        return self._answers.servable(endpoint.Target(self._answers.model_name))

    async def _load(
        self, servable: manager.Servable
    ) -> tuple[search.Catalog, action_names.ActionNames]:
        path = servable.version.path
        async with self._lock:
            if self._loaded is None or self._loaded[0] != path:
                try:
                    listed = search.Catalog(await asyncio.to_thread(catalog.read, path))
                    self._loaded = (path, listed, action_names.read(path))
                except (errors.InputError, OSError, ValueError) as error:
                    raise faults.RequestError("INTERNAL", str(error)) from error
            return self._loaded[1:]


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise faults.invalid(f"the request body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise faults.invalid("the request body must be a JSON object")
    return body


def parse_question(body: dict[str, Any]) -> tuple[list[tuple[str, str]], int]:
    """Returns (item id, mark) of each element, and the slate size.

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
    return history, k


def build_branches(
    history: list[tuple[str, str]], actions: action_names.ActionNames, now_ms: int
) -> list[list[requests.Event]]:
    """Returns the history without and with its marks, one minute a step until now.

    Raises:
      RequestError: The model's feedback policy knows no such mark.
    """
    start_ms = now_ms - _STEP_MS * len(history)
    control, treatment = [], []
    for step, (item_id, mark) in enumerate(history):
        timestamp = start_ms + _STEP_MS * step
        event = requests.Event(item_id, actions.base, timestamp, actions.base_value)
        control.append(event)
        if mark:
            action = actions.mark(mark)
            if action is None:
                raise faults.invalid(f"the model's feedback policy has no {mark}")
            event = event._replace(action=requests.join_actions(event.action, action))
        treatment.append(event)
    return [control, treatment]


def compare(
    before: list[requests.Recommendation],
    after: list[requests.Recommendation],
    history: list[tuple[str, str]],
    listed: search.Catalog,
) -> dict[str, Any]:
    """Returns both slates with items, rank changes and what they share with dislikes.

    Returns:
      `before` and `after`: rows with the item, `rank` (from 1), `score` and
      `other_rank` (the rank in the other slate; None: not there). `similar`: for
      `creator` and `categories` the number of rows `before` and `after` that share it
      with a disliked item; None where no disliked item has it.
    """
    disliked = [listed.get(item_id) for item_id, mark in history if mark == "dislike"]
    creators = {item["creator_id"] for item in disliked} - {""}
    category_sets = {frozenset(item["categories"]) for item in disliked} - {frozenset()}

    def count(slate: list[requests.Recommendation]) -> tuple[int, int]:
        items = [listed.get(one.item_id) for one in slate]
        return (
            sum(item["creator_id"] in creators for item in items),
            sum(frozenset(item["categories"]) in category_sets for item in items),
        )

    (creator_before, sets_before), (creator_after, sets_after) = map(
        count, (before, after)
    )
    return {
        "before": _rows(before, after, listed),
        "after": _rows(after, before, listed),
        "similar": {
            "creator": [creator_before, creator_after] if creators else None,
            "categories": [sets_before, sets_after] if category_sets else None,
        },
    }


def _rows(
    slate: list[requests.Recommendation],
    other: list[requests.Recommendation],
    listed: search.Catalog,
) -> list[dict[str, Any]]:
    other_rank = {one.item_id: rank for rank, one in enumerate(other, start=1)}
    return [
        {
            **listed.get(one.item_id),
            "rank": rank,
            "score": one.score,
            "other_rank": other_rank.get(one.item_id),
        }
        for rank, one in enumerate(slate, start=1)
    ]
