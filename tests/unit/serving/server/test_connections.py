"""Slow and silent callers on real sockets; the application is a small one."""

import asyncio
import contextlib
import gzip

import pytest
from aiohttp import web

from schema import settings
from serving.bundle import faults
from serving.server import connections, request_body


class Site:
    """An application that answers the length of a body."""

    def __init__(self, **chosen):
        self.settings = settings.ServingSettings(**chosen)
        self.is_draining = False

    async def _answer(self, request):
        try:
            body = await request_body.read(request, self.settings)
        except request_body.BodyError as error:
            return web.Response(
                status=error.http_status,
                text=str(error),
                headers={"Connection": "close"},
            )
        return web.Response(text=str(len(body)))

    @contextlib.asynccontextmanager
    async def running(self):
        app = web.Application(
            middlewares=[connections.middleware(lambda: self.is_draining)],
            client_max_size=self.settings.max_body_bytes,
        )
        app.router.add_post("/", self._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        self.listener = connections.Listener(runner, self.settings)
        self.port = await self.listener.start("127.0.0.1", 0)
        try:
            yield self
        finally:
            self.listener.close()
            await runner.cleanup()

    async def connect(self, sent=b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        await writer.drain()
        return reader, writer


def post(body, length=None, headers=""):
    size = len(body) if length is None else length
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n{headers}\r\n"
    return head.encode() + body


async def answer(reader):
    """Returns status, headers and body of one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status = int(head.split()[1])
    lines = [line.split(": ", 1) for line in head.split("\r\n")[1:] if line]
    headers = {name.lower(): value for name, value in lines}
    body = await reader.readexactly(int(headers["content-length"]))
    return status, headers, body.decode()


async def closed(reader):
    """Returns when the other side has closed."""
    return await asyncio.wait_for(reader.read(), 20) == b""


def run(scenario, **chosen):
    async def inside():
        async with Site(**chosen).running() as site:
            await scenario(site)

    asyncio.run(asyncio.wait_for(inside(), 60))


@pytest.mark.parametrize("sent", [b"", b"POST / HT", post(b"")[:-2]])
def test_half_a_request_is_not_waited_for(sent):
    async def scenario(site):
        reader, writer = await site.connect(sent)
        assert await closed(reader)
        writer.close()

    run(scenario, read_timeout_sec=0.2)


def test_half_a_body_is_told_so():
    async def scenario(site):
        reader, writer = await site.connect(post(b"abc", length=10))
        status, headers, text = await answer(reader)
        assert (status, headers["connection"]) == (408, "close")
        assert text == "the request body did not arrive within 0.2 s"
        assert await closed(reader)
        writer.close()

    run(scenario, read_timeout_sec=0.2)


def test_a_kept_alive_connection_outlives_the_read_timeout():
    async def scenario(site):
        reader, writer = await site.connect(post(b"abc"))
        assert (await answer(reader))[::2] == (200, "3")
        await asyncio.sleep(0.5)
        writer.write(post(b"abcd"))
        assert (await answer(reader))[::2] == (200, "4")
        writer.close()

    run(scenario, read_timeout_sec=0.2)


def test_an_idle_connection_is_closed():
    async def scenario(site):
        reader, writer = await site.connect(post(b"abc"))
        await answer(reader)
        assert await closed(reader)
        writer.close()

    run(scenario, idle_timeout_sec=0.2)


def test_one_connection_too_many_costs_the_oldest_silent_one():
    async def scenario(site):
        used, used_writer = await site.connect(post(b"a"))
        await answer(used)
        silent = [await site.connect() for _ in range(600)]
        # All but the newest 19 are closed; who has asked stays.
        for reader, _ in silent[:-19]:
            assert await closed(reader)
        used_writer.write(post(b"ab"))
        assert (await answer(used))[::2] == (200, "2")
        # And a new caller is answered.
        reader, writer = await site.connect(post(b"abc"))
        assert (await answer(reader))[::2] == (200, "3")
        for _, one in [*silent, (used, used_writer), (reader, writer)]:
            one.close()

    run(scenario, max_connections=20, read_timeout_sec=600)


def test_where_all_have_asked_the_new_one_is_refused():
    async def scenario(site):
        used = [await site.connect(post(b"a")) for _ in range(2)]
        for reader, _ in used:
            await answer(reader)
        reader, writer = await site.connect()
        assert await closed(reader)
        for _, one in [*used, (reader, writer)]:
            one.close()

    run(scenario, max_connections=2, read_timeout_sec=600)


def test_a_draining_server_says_that_it_closes():
    async def scenario(site):
        reader, writer = await site.connect(post(b"a"))
        _, headers, _ = await answer(reader)
        assert "connection" not in headers
        site.is_draining = True
        site.listener.close()
        # The connection that is open is answered once more.
        writer.write(post(b"ab"))
        status, headers, text = await answer(reader)
        assert (status, headers["connection"], text) == (200, "close", "2")
        assert await closed(reader)
        writer.close()
        with pytest.raises(OSError, match="Connect call failed"):
            await site.connect()
        await site.listener.wait_until_left(20)

    run(scenario)


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (gzip.compress(b"a" * 999, mtime=0), "Content-Encoding: gzip\r\n", 200, "999"),
        (b"no gzip", "Content-Encoding: gzip\r\n", 400, "is not gzip, as its header"),
        (
            gzip.compress(b"a", mtime=0)[:-3],
            "Content-Encoding: gzip\r\n",
            400,
            "one whole gzip",
        ),
        (
            gzip.compress(b"a", mtime=0) + b"b",
            "Content-Encoding: gzip\r\n",
            400,
            "one whole gz",
        ),
        (b"a", "Content-Encoding: br\r\n", 415, 'none; got "br"'),
        # A bomb: a hundred times as large as it looks.
        (
            gzip.compress(b"a" * 100_000, mtime=0),
            "Content-Encoding: gzip\r\n",
            413,
            "at most 1000",
        ),
        (b"a" * 1_001, "", 413, "at most 1000 bytes"),
        (b"a" * 1_000, "", 200, "1000"),
    ],
)
def test_bodies(body, headers, status, text):
    async def scenario(site):
        reader, writer = await site.connect(post(body, headers=headers))
        got, _, told = await answer(reader)
        assert got == status
        assert text in told
        writer.close()

    run(scenario, max_body_bytes=1_000)


def test_a_body_error_is_the_callers_fault():
    error = request_body.BodyError(413, "x")
    assert isinstance(error, faults.RequestError)
    assert error.code == "INVALID_ARGUMENT"
