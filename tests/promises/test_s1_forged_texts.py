"""S1, of texts: what is not the phone company's is answered by nobody, and told nothing but the constant refusal."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import pytest
from starlette.routing import Router

from ivr.app import build
from ivr.channels.texted import Texted, TextReply
from ivr.line.text_edge import TextEdge
from tests.line.test_text_door import text
from tests.line.test_text_edge import CRAFTY, CRAFTY_WITH_PICTURES, GENUINE, PICTURES
from tests.promises.forging import SAME, Forgery, by_chance, resplit, text_bends
from tests.promises.house import PROVE, House, house
from tests.promises.ledger import Record
from tests.promises.requests import send
from tests.promises.test_s1_forged_webhooks import REFUSED, FailsOpen, Gullible

TEXTS = {
    "as most are": text(),
    "with nothing in it": text(Text=""),
    "with signs of its own": text(Text="Sí 😀 a&b=c"),
    "with pictures": text()
    .with_fields(*((name, value) for name, value in {**GENUINE, **PICTURES}.items() if value is not None))
    .signed(),
}


@dataclass
class Attack:
    """What was let in though nobody wrote it. `answered`: all that whoever answers texts was asked."""

    answered: list[Texted] = field(default_factory=list)
    let_in: list[str] = field(default_factory=list)
    tried: int = 0

    async def answer(self, texted: Texted) -> TextReply:
        self.answered.append(texted)
        return TextReply()

    async def forge(self, of: House, forgeries: Iterable[Forgery]) -> None:
        for forgery in forgeries:
            self.tried += 1
            try:
                got = await send(of.app, forgery.request)
            except Exception as error:  # whatever a stranger sends, nothing is raised
                self.let_in.append(f"{forgery.name}: raised {type(error).__name__}")
                continue
            # A path that was bent leads nowhere at all.
            if got != REFUSED and not (got.status == 404 and forgery.request.path != b"/text"):
                self.let_in.append(f"{forgery.name}: {got.status}")


def answered_by(attack: Attack, **parts: type) -> Callable[..., Router]:
    """A line whose texts are answered by the attack."""
    return partial(build, answers_of=lambda _: attack.answer, **parts)  # type: ignore[arg-type]  # one part exchanged


def attacked(folder: Path, blank: Path, forgeries: Iterable[Forgery], **parts: type) -> Attack:
    async def main() -> Attack:
        attack = Attack()
        builder = answered_by(attack, **parts)
        async with house(folder, blank=blank, builder=builder) as of:
            before = await of.rows(), await of.live_rows(), of.files().keys()
            await attack.forge(of, forgeries)
            assert (await of.rows(), await of.live_rows(), of.files().keys()) == before
        return attack

    return asyncio.run(main())


def bent() -> list[Forgery]:
    return [
        Forgery(f"{name}, {how}", bend(request))
        for name, request in TEXTS.items()
        for how, bend in text_bends().items()
    ]


def test_a_bent_text_is_refused_and_answered_by_nobody(tmp_path: Path, blank: Path, record: Record) -> None:
    attack = attacked(tmp_path / "line", blank, bent())
    record(attack.tried, "texts bent in a named way")
    assert attack.tried >= 30 * len(TEXTS)
    assert attack.let_in == []
    assert attack.answered == []


def test_ten_thousand_forged_texts_are_refused(tmp_path: Path, blank: Path, record: Record) -> None:
    chance, each = Random(20270312), 250_000 if PROVE > 1 else 2_500
    forgeries = (forgery for request in TEXTS.values() for forgery in by_chance(request, chance, each))
    attack = attacked(tmp_path / "line", blank, forgeries)
    record(attack.tried, "texts forged by chance")
    assert attack.tried >= (1_000_000 if PROVE > 1 else 10_000)
    assert attack.let_in == []
    assert attack.answered == []


def test_a_signed_text_cut_into_other_fields_never_says_anything_else(
    tmp_path: Path, blank: Path, record: Record
) -> None:
    """She writes some of the signed bytes herself; also where she writes what looks like fields."""
    chance, share = Random(20270313), 0.5 if PROVE > 1 else 0.03
    plain = [text(Text=words) for words in CRAFTY]
    with_pictures = [
        {name: value for name, value in {**GENUINE, **PICTURES, "Body": words}.items() if value is not None}
        for words in CRAFTY_WITH_PICTURES
    ]
    requests = [*plain, *(text().with_fields(*fields.items()).signed() for fields in with_pictures)]

    async def main() -> tuple[int, list[str]]:
        attack, found = Attack(), list[str]()
        async with house(tmp_path / "line", blank=blank, builder=answered_by(attack)) as of:
            for request in requests:
                attack.answered.clear()
                assert (await send(of.app, request)).status == 200
                [genuine] = attack.answered
                for forgery in resplit(request, chance, share):
                    attack.tried += 1
                    got = await send(of.app, forgery.request)
                    if got != REFUSED and attack.answered.pop() != genuine:
                        found.append(forgery.name)
        return attack.tried, found

    tried, found = asyncio.run(main())
    record(tried, "signed texts cut anew")
    assert tried > 1000
    assert found == []


def test_the_same_text_told_otherwise_is_genuine(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        attack = Attack()
        async with house(tmp_path / "line", blank=blank, builder=answered_by(attack)) as of:
            for request in TEXTS.values():
                attack.answered.clear()
                got = [await send(of.app, bend(request)) for bend in SAME.values()]
                assert [one.status for one in got] == [200] * len(SAME)
                assert len(set(attack.answered)) == 1

    asyncio.run(main())


# ---- mutants: each must be caught ----


class Forgetful(TextEdge):
    """Does not look at the query."""

    def admit(self, method: str, **request: object) -> Texted | None:
        return super().admit(method, **{**request, "query": b""})  # type: ignore[arg-type]  # passed on


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"verifier": Gullible}, id="accepts everything"),
        pytest.param({"verifier": FailsOpen}, id="accepts what is not signed"),
        pytest.param({"text_edge": Forgetful}, id="ignores the query"),
    ],
)
def test_mutant_a_door_that_is_not_quite_shut_is_seen(parts: dict[str, type], tmp_path: Path, blank: Path) -> None:
    assert attacked(tmp_path / "line", blank, bent(), **parts).let_in
