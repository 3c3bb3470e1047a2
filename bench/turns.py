"""Figure: a full voice turn (signature, token, engine, document) against a bare route and the docs-style app."""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import uvloop

from bench import traffic
from bench.load import Request, WrongReply, blast, bodies
from bench.process import Server, on_core
from bench.stage import Figure, Stage, genuine
from bench.traffic import Webhook

OF_BARE, AIM_OF_BARE = 0.45, 0.8
OF_DOCS_STYLE, AIM_OF_DOCS_STYLE = 8, 15
CLIENTS = 16
TURNS = 8
TOKEN = re.compile(rb"(?<=/)[A-Za-z0-9_-]{100,}")


@dataclass(frozen=True, slots=True)
class Rival:
    name: str
    server: Server
    requests: Sequence[Request]


def measure(stage: Stage) -> list[Figure]:
    hooks = traffic.in_turns(uvloop.run(traffic.calls(stage.site, max(stage.size.calls // 5, 10), turns=TURNS)))
    typical = traffic.typical(hooks)
    token = stage.site.token
    with ExitStack() as servers:
        line = Rival("line", servers.enter_context(stage.line()), [genuine(hook) for hook in hooks])
        to_bare = [Request(hook.raw(), len(typical)) for hook in hooks]
        rivals = [
            Rival("bare", servers.enter_context(stage.bare(typical)), to_bare),
            Rival("bare in one piece", servers.enter_context(stage.bare(typical, "in-one-piece")), to_bare),
            line,
            Rival(
                "docs-style",
                servers.enter_context(stage.docs_style()),
                [Request(hook.at(hook.address, token).raw(), None) for hook in hooks],
            ),
        ]
        check(line.server, hooks)
        speeds: dict[str, list[float]] = {rival.name: [] for rival in rivals}
        for _ in range(stage.size.rounds):
            for rival in rivals:
                speeds[rival.name].append(_speed(rival, stage))
    return _figures(speeds)


def check(server: Server, hooks: Sequence[Webhook]) -> None:
    """Every replay is answered as the call was, byte for byte but for the minute sealed in its tokens. Raises
    WrongReply."""
    for hook, body in zip(hooks, uvloop.run(bodies(server.port, [genuine(hook) for hook in hooks])), strict=True):
        if TOKEN.sub(b"", body) != TOKEN.sub(b"", hook.reply):
            raise WrongReply(f"{hook.path[:40]} was answered otherwise than when it was recorded")


def _speed(rival: Rival, stage: Stage) -> float:
    """Requests for each second of CPU that the server spent: what one core does, whoever else uses the machine."""
    before = rival.server.cpu_seconds()
    with on_core(stage.cores.load):
        answered = uvloop.run(blast(rival.server.port, rival.requests, clients=CLIENTS, seconds=stage.size.seconds))
    return answered / max(rival.server.cpu_seconds() - before, 0.01)


def _figures(speeds: dict[str, list[float]]) -> list[Figure]:
    told = {
        name: f"{median(found):,.0f} a second ({min(found):,.0f} to {max(found):,.0f})"
        for name, found in speeds.items()
    }
    of_bare = _ratio(speeds["line"], speeds["bare"])
    of_one_piece = _ratio(speeds["line"], speeds["bare in one piece"])
    of_docs = _ratio(speeds["line"], speeds["docs-style"])
    return [
        Figure(
            "A full voice turn, of the requests a bare Starlette route answers on one core",
            f"{of_bare:.2f} ({told['line']}; the bare route {told['bare']}; "
            f"{of_one_piece:.2f} where that one's replies leave in one piece too)",
            f"at least {OF_BARE} (aim {AIM_OF_BARE})",
            of_bare >= OF_BARE,
        ),
        Figure(
            "A full voice turn, of the requests a docs-style app answers on one core",
            f"{of_docs:.1f} times ({told['docs-style']})",
            f"at least {OF_DOCS_STYLE} times (aim {AIM_OF_DOCS_STYLE})",
            of_docs >= OF_DOCS_STYLE,
        ),
    ]


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds: those of one round met the same machine."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))
