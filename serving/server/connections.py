"""HTTP connections that cannot be held for nothing.

aiohttp closes what is idle; it has no time limit for a request that arrives byte by
byte, and no bound on how many may be open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Middleware

from schema import settings

_LINGERING_SEC = 1.0
"""How long the rest of a refused body is read, so that the answer is seen."""


class Connection(web.RequestHandler):
    """One connection, closed unless its first request arrives in time."""

    def __init__(self, listener: Listener, manager: web.Server, **options: Any) -> None:
        """Wraps aiohttp's protocol; `Listener` makes them."""
        super().__init__(manager, **options)
        self._listener = listener
        self._deadline: asyncio.TimerHandle | None = None
        self.has_asked = False
        """Whether a whole request head has come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the clock."""
        super().connection_made(transport)
        self._deadline = asyncio.get_running_loop().call_later(
            self._listener.settings.read_timeout_sec, self._expire
        )
        self._listener.admit(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stops the clock."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._listener.forget(self)
        super().connection_lost(exc)

    def asked(self) -> None:
        """Says that a whole request head has come."""
        self.has_asked = True
        if self._deadline is not None:
            self._deadline.cancel()

    def _expire(self) -> None:
        if not self.has_asked:
            self.force_close()


class Listener:
    """Listens on one port, with a bound on what is open."""

    def __init__(self, runner: web.AppRunner, chosen: settings.ServingSettings) -> None:
        """Prepares; `start` binds.

        Args:
          runner: Of the application, set up.
          chosen: Timeouts and bound.
        """
        self.settings = chosen
        self._runner = runner
        # In the order in which they were opened.
        self._open: dict[Connection, None] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Returns the port that it listens on; raises OSError where it cannot."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def _connection(self) -> Connection:
        return Connection(
            self,
            cast(web.Server, self._runner.server),
            loop=asyncio.get_running_loop(),
            access_log=None,
            keepalive_timeout=self.settings.idle_timeout_sec,
            lingering_time=_LINGERING_SEC,
            auto_decompress=False,
        )

    def admit(self, connection: Connection) -> None:
        """Takes a connection in; one too many costs the oldest that never asked.

        Where all others have asked it is the new one that is closed.
        """
        self._open[connection] = None
        if len(self._open) > self.settings.max_connections:
            silent = (one for one in self._open if not one.has_asked)
            next(silent, connection).force_close()

    def forget(self, connection: Connection) -> None:
        """Strikes a closed connection off."""
        self._open.pop(connection, None)

    def close(self) -> None:
        """Takes no new connections; those that are open stay."""
        if self._server is not None:
            self._server.close()

    async def wait_until_left(self, timeout_sec: float) -> None:
        """Returns when all connections are closed, or after `timeout_sec`."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_sec
        while self._open and loop.time() < end:
            await asyncio.sleep(0.02)


def middleware(is_draining: Callable[[], bool]) -> Middleware:
    """Returns what tells a connection of its requests, and callers when to leave.

    Args:
      is_draining: Whether the server is about to stop: each answer is then the last
        of its connection.
    """

    @web.middleware
    async def tell(
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if isinstance(request.protocol, Connection):
            request.protocol.asked()
        response = await handler(request)
        if is_draining():
            response.force_close()
            response.headers["Connection"] = "close"
        return response

    return tell
