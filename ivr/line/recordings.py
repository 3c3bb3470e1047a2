"""`GET /voice/audio/LANGUAGE/NAME.mp3`: the recordings of the prompts. Public, they are what every caller hears. Which
there are is listed when the line starts, so that nothing a stranger sends becomes a path."""

import asyncio
from pathlib import Path

from ivr.line.wire import NOT_FOUND, PLAIN, Receive, Scope, Send, reply

_PIECE = 16_384
"""Bytes read at once. The file is opened for each: whoever reads slowly holds no file handle meanwhile."""


class Recordings:
    """An ASGI application for the recordings in a folder, `LANGUAGE/NAME.mp3`."""

    def __init__(self, folder: Path) -> None:
        self._files = {(file.parent.name, file.name): file for file in folder.glob("*/*.mp3") if file.is_file()}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        told = scope["path_params"]
        file = self._files.get((told["language"], told["name"])) if scope["method"] in ("GET", "HEAD") else None
        try:
            size = file.stat().st_size if file is not None else 0
        except OSError:
            size = 0
        if file is None or size == 0:
            await reply(send, 404, NOT_FOUND, PLAIN)
            return
        headers = [(b"content-type", b"audio/mpeg"), (b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        for start in range(0, size, _PIECE):
            piece = await asyncio.to_thread(_read, file, start, min(_PIECE, size - start))
            await send({"type": "http.response.body", "body": piece, "more_body": start + _PIECE < size})


def _read(file: Path, start: int, size: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read(size)
