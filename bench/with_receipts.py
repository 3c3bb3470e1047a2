"""`ivr serve --demo` with one address more: a receipt code that is posted there is looked up as a caller's is. Twenty a
second cannot be had by webhooks: after some sixty, callers are asked to wait."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from ivr import app
from ivr.app import Parts
from ivr.cli import serving
from ivr.kit.clock import Clock
from ivr.services.by_receipt import LiveReceipts

PATH = "/bench/receipt"


def with_receipts(parts: Parts, clock: Clock) -> Router:
    """The line, and the address."""
    of_the_line: list[LiveReceipts] = []

    def kept(*given: Any, **named: Any) -> LiveReceipts:  # Any: whatever the line makes it of
        of_the_line.append(LiveReceipts(*given, **named))
        return of_the_line[-1]

    app.LiveReceipts = kept  # type: ignore[assignment,attr-defined]
    router = app.build(parts, clock)
    [receipts] = of_the_line

    async def look_up(request: Request) -> Response:
        code = (await request.body()).decode("ascii")
        # Nobody waits for the budget here, which has no place in what a look-up costs.
        found = await receipts.open(code)
        return Response(type(found).__name__)

    router.routes.append(Route(PATH, look_up, methods=["POST"]))
    return router


if __name__ == "__main__":
    serving.build = with_receipts  # type: ignore[assignment,attr-defined]  # as the command calls it
    serving.serve(host="127.0.0.1", demo=True)
