"""One call in an exchange is what the loopback carrier makes of it: the same webhooks, words and seconds."""

import asyncio
from dataclasses import dataclass
from functools import partial

import pytest

from ivr.carrier.documents import Play, Speak
from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.loopback import PhoneCall
from ivr.carrier.party import Party
from ivr.carrier.states import AwaitingKeys
from ivr.carrier.transport import AsgiTransport, Unreachable
from ivr.kit.clock import VirtualClock
from tests.carrier.scripted import BEGINNING, HOST, TOKEN, Pages, Script, line
from tests.carrier.switchboard import LINE, ROSA


@dataclass(frozen=True, slots=True)
class Press:
    keys: str
    after: float = 0.0


Act = Press | None
"""None: she says nothing until the line goes on."""

AGAIN = "<Speak>Again</Speak>"


def menu(attributes: str = 'numDigits="1"', *, kind: str = "GetInput", after: str = AGAIN) -> str:
    prompts = f"<Speak>Press one or two</Speak><Play>{HOST}/tune.mp3</Play>"
    return f'<{kind} action="{HOST}/chosen" {attributes}>{prompts}</{kind}>{after}'


SCENES: dict[str, tuple[Pages, tuple[Act, ...]]] = {
    "a key at once": ({"/answer": menu(), "/chosen": "<Speak>Thanks</Speak>"}, (Press("1"),)),
    "a key in a prompt": ({"/answer": menu(), "/chosen": menu()}, (Press("1", 1.2), Press("2", 4.0))),
    "silence": ({"/answer": menu()}, (None,)),
    "silence, then a key": ({"/answer": menu(after=menu()), "/chosen": ""}, (None, Press("9", 9.5))),
    "several keys": ({"/answer": menu('numDigits="4"'), "/chosen": ""}, (Press("1234"),)),
    "too many keys": ({"/answer": menu('numDigits="2"'), "/chosen": menu()}, (Press("1234"), None)),
    "too few keys": ({"/answer": menu('numDigits="4" digitEndTimeout="3"'), "/chosen": ""}, (Press("12"),)),
    "the patience of auto": ({"/answer": menu('numDigits="4"'), "/chosen": ""}, (Press("12", 0.5),)),
    "a finish key": ({"/answer": menu('numDigits="9"'), "/chosen": ""}, (Press("12#"),)),
    "a bare finish key": ({"/answer": menu('numDigits="9"'), "/chosen": ""}, (Press("#"),)),
    "no finish key": ({"/answer": menu('numDigits="2" finishOnKey="none"'), "/chosen": ""}, (Press("#*"),)),
    "retries": ({"/answer": menu('numDigits="1" timeout="2" retries="3"', kind="GetDigits")}, (None,)),
    "digits": ({"/answer": menu('numDigits="3" timeout="2"', kind="GetDigits"), "/chosen": ""}, (Press("12", 0.4),)),
    "a key that is not valid": (
        {"/answer": menu('validDigits="12" numDigits="2"', kind="GetDigits"), "/chosen": ""},
        (Press("912"),),
    ),
    "an action that is only told": (
        {"/answer": menu('numDigits="1" redirect="false"'), "/chosen": AGAIN},
        (Press("1"),),
    ),
    "no action": ({"/answer": f"<GetDigits numDigits='1'/>{AGAIN}"}, (Press("1"),)),
    "a redirect": ({"/answer": f"<Wait length='2'/><Redirect>{HOST}/next</Redirect>", "/next": menu()}, (None,)),
    "a rejected call": ({"/answer": "<Hangup/>"}, ()),
    "a busy line": ({"/answer": '<Wait/><Hangup reason="busy"/>'}, ()),
    "nobody answers": ({"/answer": Unreachable("ct")}, ()),
    "an action that nobody answers": (
        {"/answer": menu().replace("/chosen", "/chosen#rc=2"), "/chosen": Unreachable("rt")},
        (Press("1"),),
    ),
    "an action that is answered late": (
        {
            "/answer": menu().replace("/chosen", "/chosen#ct=1000&amp;rt=3000&amp;rc=3&amp;rp=all"),
            "/chosen": [Unreachable("ct"), 503, Unreachable("rt"), menu()],
        },
        (Press("1"), None),
    ),
}


@dataclass(frozen=True, slots=True)
class Course:
    asked: list[tuple[str, dict[str, str]]]
    words: list[str]
    seconds: float


def nameless(script: Script) -> list[tuple[str, dict[str, str]]]:
    """What the line was asked, without what is the exchange's own: ids, and more exact words for who hung up."""
    own = ("CallUUID", "HangupSource")
    return [(path, {name: fields[name] for name in fields if name not in own}) for path, fields in script.asked]


def words(sounds: tuple[Speak | Play, ...]) -> list[str]:
    return [sound.text if isinstance(sound, Speak) else sound.url for sound in sounds]


def by_one_phone(pages: Pages, acts: tuple[Act, ...]) -> Course:
    script = Script({"/hangup": "", **_fresh(pages)})
    rosas = line(script)

    async def main() -> list[str]:
        call: PhoneCall = await rosas.call()
        heard = words(call.heard)
        for act in acts:
            assert isinstance(call.state, AwaitingKeys)
            await (call.silence() if act is None else call.press(act.keys, after=act.after))
            heard += words(call.heard)
        return heard

    heard = asyncio.run(main())
    return Course(nameless(script), heard, (rosas.clock.now() - BEGINNING).total_seconds())


def in_an_exchange(pages: Pages, acts: tuple[Act, ...]) -> Course:
    script = Script({"/hangup": "", **_fresh(pages)})
    exchange = Exchange(
        Number(LINE, f"{HOST}/answer", f"{HOST}/hangup"),
        clock=VirtualClock(BEGINNING),
        token=TOKEN,
        transport=AsgiTransport(script),
        speech=lambda text, _: len(text) / 10,
    )

    async def main() -> Party:
        rosa = await exchange.call(ROSA)
        for act in acts:
            await exchange.until(lambda: rosa.state == "listening", at_most=300)
            inputs = rosa.listened
            if act is not None:
                await exchange.run(act.after)
                await rosa.press(act.keys)
            await exchange.until(partial(_is_on, rosa, inputs), at_most=300)
        await exchange.until(lambda: rosa.is_over or rosa.state == "listening", at_most=300)
        await exchange.close()
        return rosa

    rosa = asyncio.run(main())
    return Course(nameless(script), words(rosa.heard), (exchange.clock.now() - BEGINNING).total_seconds())


def _is_on(rosa: Party, inputs: int) -> bool:
    """The line went on since so many inputs."""
    return rosa.listened > inputs or rosa.is_over


def _fresh(pages: Pages) -> Pages:
    """Answers that come in turn are used up."""
    return {path: list(said) if isinstance(said, list) else said for path, said in pages.items()}


@pytest.mark.parametrize("name", SCENES)
def test_both_carriers_agree(name: str) -> None:
    pages, acts = SCENES[name]
    one, other = by_one_phone(pages, acts), in_an_exchange(pages, acts)
    assert [path for path, _ in other.asked] == [path for path, _ in one.asked]
    assert other.asked == one.asked
    # One phone hears an input's prompts whole as it begins; in an exchange, each one as it comes.
    if all(act is None or act.after > 5 for act in acts):
        assert other.words == one.words
    assert other.seconds == pytest.approx(one.seconds)
