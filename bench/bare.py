"""The reference from below: a bare Starlette route that reads the body and returns static XML, served by uvicorn as it
comes, without access log and headers of its own. It is sent the very requests that the line is sent.

`in-one-piece`: its replies leave as the line's do, which is no part of a turn."""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.process import HOST
from ivr.cli.serving import configured


def application(document: bytes) -> Starlette:
    async def answer(request: Request) -> Response:
        await request.body()
        return Response(document, media_type="application/xml")

    addresses = ("/voice/{address}/{token}", "/voice/{address}")
    return Starlette(routes=[Route(address, answer, methods=["POST"]) for address in addresses])


def main(port: str, document: str, replies: str) -> None:
    config = configured(application(Path(document).read_bytes()))
    if replies != "in-one-piece":
        config.http = "httptools"
    config.host, config.port = HOST, int(port)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
