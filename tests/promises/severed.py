"""A way to a PostgreSQL server that can be cut, and mended; and a server that ends every connection of one line."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psycopg
from sqlalchemy.engine import URL, make_url

from tests.store.databases import POSTGRESQL


@dataclass
class Way:
    """A port of this machine that leads to the server. Cut: whoever is connected is dropped, whoever comes refused."""

    to: URL
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[StreamWriter] = field(default_factory=set)

    async def mend(self) -> None:
        """Let them through, at the same port as before."""
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Nobody gets through."""
        if self._server is not None:
            self._server.close()
            for one in list(self._open):
                one.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _lead(self, reader: StreamReader, writer: StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.to.host, self.to.port or 5432)
        self._open |= {writer, back}
        try:
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        finally:
            self._open -= {writer, back}


async def _pour(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def way_to(url: str) -> AsyncIterator[tuple[str, Way]]:
    """The same database by way of a port that can be cut."""
    way = Way(make_url(url))
    await way.mend()
    try:
        yield way.to.set(host="127.0.0.1", port=way.port).render_as_string(hide_password=False), way
    finally:
        await way.cut()


def named(url: str, name: str) -> str:
    """The URL of a line whose connections the server knows by this name."""
    return make_url(url).update_query_dict({"application_name": name}).render_as_string(hide_password=False)


def end_all(name: str) -> int:
    """End every connection of this name, whatever it is in the middle of. How many there were."""
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,)
        )
        return len(ended.fetchall())
