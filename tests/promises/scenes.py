"""What can become of a caller's wish for a person, as scenes: each begins with a call and ends when nobody talks."""

from ivr.carrier.phones import Answers, Keys, NeverAnswers
from ivr.carrier.rest_api import garbage, hangs, refuses, unreachable
from ivr.services.telling import ASKED
from tests.promises.canary import number
from tests.promises.paths import HERS
from tests.promises.warm import ANA, BO, EVE, Scene, Stage

PLATE, PHONE = "48209531", "4820953166"
"""What those type who report: a client's plate, and his number."""
REPORTS = ("1", "1", "1", "4", "#", "1", "1", *"########", "1", "1", "1", f"{PLATE}#", "1", f"{PHONE}#", "1")
"""A weapon, today, a white car and its plate, a phone number: all of it confirmed."""
KEYED = ("bad_date.what.weapon", "bad_date.when.today", "bad_date.vehicle.car", "bad_date.color.white")
"""What whoever asks may be told of it."""
TAKES = Answers(after=3, keys=(Keys("1", whisper=1),))


def asleep(stage: Stage, *numbers: str) -> int:
    """These phones ring and nobody answers, unless by hand. How many legs there were."""
    for one in numbers or (ANA, BO, EVE):
        stage.exchange.phone(one, NeverAnswers())
    return len(stage.exchange.legs)


async def met(stage: Stage) -> None:
    """Until two are in a conference."""
    rooms = stage.exchange.conferences
    await stage.exchange.until(lambda: any(len(room.members) == 2 for room in rooms.values()), at_most=90)


async def takes(stage: Stage) -> None:
    """Ana asks what it is about and takes it; they talk; the caller leaves; Ana says how it was."""
    since = asleep(stage)
    rosa = await stage.rosa(*REPORTS, "0")
    ana = await stage.rings(ANA, since=since)
    stage.told[ana.uuid] = KEYED
    await stage.presses(ana, "3", "1")
    await met(stage)
    await stage.exchange.run(60)
    await rosa.hang_up()
    await stage.exchange.run(2)
    await stage.presses(ana, "1")


async def passes(stage: Stage) -> None:
    """Ana passes, Bo asks in Spanish and takes it; Bo leaves first."""
    since = asleep(stage)
    await stage.rosa("2", "1", "1", "4", "#", "1", "1", "0")
    ana, bo = await stage.rings(ANA, since=since), await stage.rings(BO, since=since)
    stage.told[bo.uuid] = KEYED[:2]
    await stage.presses(ana, "2")
    await stage.presses(bo, "3", "1")
    await met(stage)
    await stage.exchange.run(20)
    await bo.hang_up()
    await stage.exchange.run(10)


async def nothing_told(stage: Stage) -> None:
    """Somebody who has reported nothing; Ana asks and says nothing, then Eve is rung, too late."""
    since = asleep(stage)
    rosa = await stage.rosa("1", "0")
    ana = await stage.rings(ANA, since=since)
    await stage.presses(ana, "3")
    await stage.exchange.run(30)
    eve = await stage.rings(EVE, since=since)
    await rosa.hang_up()
    await stage.exchange.run(1)
    if not eve.is_over:
        await stage.presses(eve, "1")


async def nobody(stage: Stage) -> None:
    asleep(stage)
    await stage.rosa("1", "0")
    await stage.exchange.run(70)


async def late(stage: Stage) -> None:
    """Both answer, Ana is faster; Bo is told; the caller presses a star in the conference and goes on."""
    since = asleep(stage)
    rosa = await stage.rosa("1", "0")
    ana, bo = await stage.rings(ANA, since=since), await stage.rings(BO, since=since)
    await stage.presses(ana, "1")
    if not bo.is_over:
        await stage.presses(bo, "3")
    await met(stage)
    await stage.presses(rosa, "*")
    await stage.exchange.run(5)


async def refused(stage: Stage) -> None:
    """The phone company does not ring phones one by one: it dials."""
    asleep(stage)
    stage.exchange.rest.fails(refuses(503))
    stage.exchange.phone(ANA, TAKES)
    await stage.rosa(*REPORTS, "0")
    await stage.exchange.run(40)


async def hanging(stage: Stage) -> None:
    """No answer ever comes, and the phones ring."""
    since = asleep(stage)
    stage.exchange.rest.fails(hangs(is_done=True))
    await stage.rosa("1", "0")
    ana = await stage.rings(ANA, since=since)
    await stage.presses(ana, "1")
    await stage.exchange.run(20)


async def unclear(stage: Stage) -> None:
    asleep(stage)
    stage.exchange.rest.fails(garbage())
    await stage.rosa("1", "0")
    await stage.exchange.run(20)
    stage.exchange.rest.fails(unreachable())
    await stage.exchange.run(40)


async def away_at_once(stage: Stage) -> None:
    """Nobody can write down who waits."""
    asleep(stage)
    stage.live.away = True
    await stage.rosa(*REPORTS, "0")
    await stage.exchange.run(40)


async def away_at_1(stage: Stage) -> None:
    """Ana wants the call, and nobody can write it down."""
    since = asleep(stage)
    await stage.rosa("1", "0")
    ana = await stage.rings(ANA, since=since)
    stage.live.away = True
    await stage.presses(ana, "1")
    await stage.exchange.run(10)


async def hangs_up_ringing(stage: Stage) -> None:
    asleep(stage)
    rosa = await stage.rosa("1", "0")
    await stage.exchange.run(3)
    await rosa.hang_up()
    await stage.exchange.run(30)


async def hangs_up_at_whisper(stage: Stage) -> None:
    since = asleep(stage)
    rosa = await stage.rosa(*REPORTS, "0")
    ana = await stage.rings(ANA, since=since)
    await rosa.hang_up()
    await stage.exchange.run(1)
    if not ana.is_over:
        await stage.presses(ana, "3")
    await stage.exchange.run(20)


async def hangs_up_connecting(stage: Stage) -> None:
    since = asleep(stage)
    rosa = await stage.rosa("1", "0")
    ana = await stage.rings(ANA, since=since)
    await stage.presses(ana, "1")
    await rosa.hang_up()
    await stage.exchange.run(30)


async def does_something_else(stage: Stage) -> None:
    """She holds, then reports instead."""
    asleep(stage)
    rosa = await stage.rosa("1", "0")
    await stage.exchange.run(8)
    await stage.presses(rosa, "1", "1", "4")


async def staff_line(stage: Stage) -> None:
    """Ana calls about her shifts; before, somebody tries PINs that are nobody's."""
    ana = await stage.rosa("8", f"{number('555', 1)[:8]}", stage.pin, "1", "2", "2", "3", "4", "*")
    await stage.exchange.run(10)
    if not ana.is_over:
        await stage.presses(ana, "9")


async def asks_to_be_called(stage: Stage) -> None:
    """Nobody can answer, and she leaves her number; then she wants a person once more, who hears that she asked."""
    asleep(stage)
    rosa = await stage.rosa("1", "0")
    await stage.exchange.run(70)
    await stage.presses(rosa, "2", f"{HERS}#", "1", "3", "2", "2", "1")
    since = len(stage.exchange.legs)
    await stage.presses(rosa, "0")
    ana = await stage.rings(ANA, since=since)
    stage.told[ana.uuid] = (ASKED,)
    await stage.presses(ana, "3", "1")
    await stage.exchange.run(20)


SCENES: tuple[Scene, ...] = (
    takes,
    passes,
    nothing_told,
    nobody,
    late,
    refused,
    hanging,
    unclear,
    away_at_once,
    away_at_1,
    hangs_up_ringing,
    hangs_up_at_whisper,
    hangs_up_connecting,
    does_something_else,
    staff_line,
    asks_to_be_called,
)
