"""What a story of the matrix must have been like, whoever did what: every way in which it was not, as a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from ivr.carrier.conferences import Stay
from ivr.carrier.party import Party
from ivr.engine.effects import Connect, Hold, Meet
from ivr.flow.line import HOLDING
from ivr.line.staff import EMPTY
from ivr.oncall.ring_limits import SAME_PHONE_AFTER
from ivr.services.offering import GONE_AFTER
from ivr.services.world import RING_SECONDS
from ivr.store.live import STAYS
from tests.promises.house import HOTLINE
from tests.transfers.people import (
    ENGAGED,
    LOLA,
    MAY_TAKE,
    NAMES,
    NUMBERS,
    OFF,
    POLICIES,
    RULES,
    TAKING,
    TAKING_SOON,
    Cell,
)
from tests.transfers.town import RING_ALL, Told, Town, is_connecting, played

SILENT = ("/voice/hangup", "/voice/entered", "/staff/entered", "/staff/over", "/voice/confirm", "/voice/alone")
"""Addresses whose documents no turn makes."""
A_MOMENT = timedelta(seconds=2)
"""So soon phones stop that need not ring any more."""
LEFT_ALONE = 1.0
"""Seconds that somebody may be alone in a conference which the other one has left."""
ALONE_PIECE = 12.0
"""Seconds after which somebody who is alone there hears again that a key leads on."""
HOLD_PIECE, CONNECTING_PIECE = 11.0, 4.0
"""Seconds: the longest that each may last, as the shipped flow words them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One time that the caller asked for a person. `told`: what she was answered, up to what came of it."""

    told: tuple[Told, ...]
    came: Told | None

    @property
    def began_at(self) -> datetime:
        return self.told[0].at

    @property
    def ended_at(self) -> datetime:
        return (self.came or self.told[-1]).at


def wishes_of(of: Town, rosa: Party) -> list[Wish]:
    """Each time that she waited for a person."""
    mine = [told for told in of.ear.told if told.fields["CallUUID"] == rosa.uuid and told.turn is not None]
    found: list[Wish] = []
    waiting: list[Told] = []
    for told in mine:
        assert told.turn is not None
        waits = isinstance(told.turn.then, Hold | Connect) and told.turn.call.step == "person"
        if waiting and told.turn.call.transfers > _transfers(waiting[0]):
            found.append(Wish(tuple(waiting), None))
            waiting = []
        if waits or (waiting and isinstance(told.turn.then, Meet)):
            waiting.append(told)
        elif waiting:
            found.append(Wish(tuple(waiting), told))
            waiting = []
        elif told.turn.call.step == "nobody_free" and any(said.prompt == "nobody_free" for said in told.turn.said):
            found.append(Wish((told,), told))
    return [*found, *([Wish(tuple(waiting), None)] if waiting else [])]


def _transfers(told: Told) -> int:
    assert told.turn is not None
    return told.turn.call.transfers


async def judged(cell: Cell, of: Town) -> list[str]:
    """Plays a cell; everything that was not as it must be."""
    of.rules = RULES[cell.rules] if cell.rules else of.rules
    of.begin()
    await played(cell, of)
    rosa = of.rosa
    assert rosa is not None
    wishes = wishes_of(of, rosa)
    found = [
        *_refused(of),
        *_rung(cell, of, wishes),
        *_left_behind(cell, of, rosa),
        *_waited(of, rosa, wishes),
        *_alone(cell, of),
        *_came_of_it(cell, of, rosa, wishes),
    ]
    of.clock.advance(STAYS + timedelta(seconds=1))
    await of.first.transfers.sweep()
    rows = await of.rows()
    return [*found, *([f"{rows} live rows are left"] if rows else [])]


def _refused(of: Town) -> Iterator[str]:
    """The exchange raises for a status or a document that Plivo would not take; here: for an apology."""
    for told in of.ear.told:
        if told.turn is None and told.about not in SILENT and told.reply.body != EMPTY:
            yield f"{told.about} was answered in need"
        if told.turn is not None and any(said.prompt == "line.trouble" for said in told.turn.said):
            yield f"{told.about} was answered with an apology"


def _rung(cell: Cell, of: Town, wishes: list[Wish]) -> Iterator[str]:
    for leg in of.rung():
        name = NAMES[leg.number]
        if name in OFF or (name not in cell.does and name not in ENGAGED):
            yield f"{name} was rung off duty"
        if (leg.shown_number, leg.shown_name) != (HOTLINE, "Porchlight"):
            yield f"the phone of {name} showed {leg.shown_number} {leg.shown_name}"
    if len([leg for leg in of.rung() if NAMES[leg.number] in ENGAGED]) > cell.is_busy:
        yield "somebody was rung who is engaged"
    ends = [*(wish.began_at for wish in wishes[1:]), of.clock.now() + timedelta(seconds=1)]
    for wish, ends_at in zip(wishes, ends, strict=True):
        for number in (NUMBERS[name] for name in cell.does):
            times = [leg for leg in of.rung() if leg.number == number and wish.began_at <= leg.asked_at < ends_at]
            if len(times) > 1:
                yield f"{NAMES[number]} was rung {len(times)} times for one wish"
    may_ring = (201, None) if cell.rest.startswith("hangs and rings") else (201,)
    asked = [str(one.json["to"]) for one in of.exchange.rest.requests if one.json and one.status in may_ring]
    for number in set(asked):
        if asked.count(number) > max(len(wishes), 1):
            yield f"{NAMES[number]} was asked for {asked.count(number)} times"


def _left_behind(cell: Cell, of: Town, rosa: Party) -> Iterator[str]:
    if any(not leg.is_over for leg in of.exchange.legs):
        yield f"not over: {[leg for leg in of.exchange.legs if not leg.is_over]}"
    if not cell.rest.startswith(("works", "answers")) or "second" in cell.rest:
        return
    over = [at for at in (rosa.ended_at, _first_meeting(of, rosa)) if at is not None]
    if cell.caller.act in ("hangs up", "1", "9", "*") and of.done_at is not None:
        over += [told.at for told in of.ear.told if told.at == of.done_at and _is_hers(told, rosa, cell.caller.act)]
    for leg in of.rung():
        begun = leg.rang_from
        if begun is None or leg.number == NUMBERS["gil"]:
            continue
        if leg.rang_until is not None and begun <= min(over) < leg.rang_until - A_MOMENT:
            yield f"the phone of {NAMES[leg.number]} rang on for {leg.rang_until - min(over)}"
        if begun > min(over) + A_MOMENT and (leg.rang_until or begun) - begun > A_MOMENT and cell.caller.act != "*":
            yield f"the phone of {NAMES[leg.number]} rang after all was over"


def _is_hers(told: Told, rosa: Party, act: str) -> bool:
    """What she did reached the line: while the phone company rings, no key does but a star."""
    return told.fields["CallUUID"] == rosa.uuid and (act == "hangs up" or told.fields.get("Digits") == act)


def _first_meeting(of: Town, rosa: Party) -> datetime | None:
    """When somebody pressed 1 for her and was the first."""
    del rosa
    taken = [told.at for told in of.ear.told if is_connecting(told.turn)]
    mine = [at for at in taken if of.rosa is not None and at >= of.rosa.asked_at]
    return min(mine, default=None)


def _waited(of: Town, rosa: Party, wishes: list[Wish]) -> Iterator[str]:
    """The promise counts from the key 0 to the moment at which she hears what came of it, or is in the conference; if
    she asked again, from the end of the pause that she is told of."""
    if of.waits_for_ever:
        yield f"she waited for ever; last she was answered {_last(of, rosa)}"
    for wish in wishes:
        dials = [told for told in wish.told if told.turn is not None and isinstance(told.turn.then, Connect)]
        waited_until = dials[0].at if dials else _meets_at(wish) or wish.ended_at
        promised_from = next((told.at for told in wish.told if not _is_paused(told)), wish.ended_at)
        if promised_from - wish.began_at > SAME_PHONE_AFTER + timedelta(seconds=HOLD_PIECE):
            yield f"she was asked to wait for {promised_from - wish.began_at} before phones ring again"
        if waited_until - promised_from > RING_ALL:
            yield f"she waited for {waited_until - promised_from}"
        if dials and wish.came is not None:
            talked = sum(((talk.until_at - talk.from_at) for talk in rosa.talks), timedelta())
            rang = wish.came.at - dials[0].at - talked
            announced = timedelta(seconds=RING_SECONDS + HOLD_PIECE)
            if rang > announced:
                yield f"a Dial took {rang}"
        asked = [*wish.told, *([wish.came] if wish.came and _meets_at(wish) is None else [])]
        for one, other in pairwise(told.at for told in asked if not dials):
            if other - one > timedelta(seconds=HOLD_PIECE):
                yield f"a piece lasted {other - one}"


def _is_paused(told: Told) -> bool:
    return told.turn is not None and any(said.prompt == HOLDING["paused"] for said in told.turn.said)


def _last(of: Town, rosa: Party) -> str:
    last = [told for told in of.ear.told if told.fields["CallUUID"] == rosa.uuid][-1]
    return f"{last.turn.then if last.turn else last.reply.body!r}"


def _is_meeting(told: Told) -> bool:
    return told.turn is not None and isinstance(told.turn.then, Meet)


def _meets_at(wish: Wish) -> datetime | None:
    return next((told.at for told in wish.told if _is_meeting(told)), None)


def _alone(cell: Cell, of: Town) -> Iterator[str]:
    """Who waits for the other one waits for a moment; who is left alone is taken out, or hears how to go on."""
    for room in of.exchange.conferences.values():
        for stay in room.stays:
            party = stay.party
            left_alone = room.left_alone(party)
            if room.alone(party) - left_alone > GONE_AFTER.total_seconds():
                yield f"{party.number} was alone in a conference for {room.alone(party):.0f} s"
            if left_alone > LEFT_ALONE and cell.takes_out:
                yield f"{party.number} was left alone in a conference for {left_alone:.0f} s"
            if left_alone > LEFT_ALONE and silence(stay, left_alone) > ALONE_PIECE:
                yield f"{party.number} was left alone and heard nothing for {silence(stay, left_alone):.0f} s"
        if len({stay.party for stay in room.stays}) > 2:
            yield "a third was in a conference"
    for leg in of.rung():
        mine = [told for told in of.ear.told if told.fields["CallUUID"] == leg.uuid]
        connecting = [told.at for told in mine if is_connecting(told.turn)]
        after = [told.at for told in mine if connecting and told.at >= connecting[-1] and not is_connecting(told.turn)]
        if connecting and after and (after[0] - connecting[0]).total_seconds() > 15 + CONNECTING_PIECE:
            yield f"{NAMES[leg.number]} heard connecting pieces for {after[0] - connecting[0]}"


def silence(stay: Stay, seconds: float) -> float:
    """The longest time between two sentences in the last `seconds` of somebody's time in a conference."""
    end_at = stay.left_at or stay.party.now()
    from_at = end_at - timedelta(seconds=seconds)
    heard = [heard.at for heard in stay.party.hearings if from_at <= heard.at <= end_at]
    return max((b - a).total_seconds() for a, b in pairwise([from_at, *heard, end_at]))


# ---- what came of it ----


def conversations(of: Town, rosa: Party) -> list[str]:
    """The names of all with whom she talked, once for each time."""
    rooms = [room for room in of.exchange.conferences.values() for leg in of.rung() if room.together(rosa, leg) > 0]
    met = [leg for room in rooms for leg in of.rung() if room.together(rosa, leg) > 0]
    return [NAMES[leg.number] for leg in dict.fromkeys(met)] + [NAMES[talk.other] for talk in rosa.talks]


def _came_of_it(cell: Cell, of: Town, rosa: Party, wishes: list[Wish]) -> Iterator[str]:
    """One conversation with somebody who takes, or what was promised instead."""
    talked = conversations(of, rosa)
    if len(talked) > len(wishes):
        yield f"she talked with {talked} for {len(wishes)} wishes"
    for name in talked:
        if cell.does.get(name) not in MAY_TAKE:
            yield f"she talked with {name}, who {cell.does.get(name)}"
    lola = [leg for leg in of.exchange.legs if leg.number == LOLA]
    if lola and conversations(of, lola[0]) != ["gil"]:
        yield f"Lola talked with {conversations(of, lola[0])}"
    if not wishes:
        yield "she was never rung for"
        return
    if cell.caller.act in ("stays", "0", "7") or of.done_at is None:
        yield from _stayed(cell, talked, wishes)
    elif cell.caller.act != "hangs up":
        yield from _pressed(cell, of, rosa)
    elif cell.caller.when != "in the conference" and talked:
        yield f"she had hung up and talked with {talked}"


def _stayed(cell: Cell, talked: list[str], wishes: list[Wish]) -> Iterator[str]:
    is_given_up = any("before they meet" in does for does in cell.does.values())
    sure = any(does in TAKING for does in cell.on_call) or any(does in TAKING_SOON for does in cell.backup)
    reaches = POLICIES[cell.rest][1] is None or cell.rest in ("cancels nothing", "hangs and rings")
    if sure and reaches and not talked and not is_given_up:
        yield "somebody takes it, and she talked with nobody"
    if not any(does in MAY_TAKE for does in cell.does.values()) and talked:
        yield f"nobody takes it, and she talked with {talked}"
    last = wishes[-1]
    if not talked and not _is_told_nobody(last, cell):
        yield "nobody took it, and she was not told so"


def _is_told_nobody(wish: Wish, cell: Cell) -> bool:
    """Or that she is back on the line, where whoever took her call has left it already: her choice either way."""
    left = any(does in ("takes and hangs up before they meet", "takes and drops out") for does in cell.does.values())
    steps = ("nobody_free", "after_talk") if left else ("nobody_free",)
    return wish.came is not None and wish.came.turn is not None and wish.came.turn.call.step in steps


def _pressed(cell: Cell, of: Town, rosa: Party) -> Iterator[str]:
    """The key led where it leads, at once."""
    after = [
        told
        for told in of.ear.told
        if told.fields["CallUUID"] == rosa.uuid
        and told.turn is not None
        and told.fields.get("Digits") == cell.caller.act
        and of.done_at is not None
        and told.at >= of.done_at
    ]
    if not after:
        return  # it came while a sentence could not be interrupted, or the phone company rang: nobody heard it
    first = after[0].turn
    assert first is not None
    step = first.call.step
    right = {"1": step.startswith("bad_date"), "9": step == "leave", "*": step in ("main", "welcome", "safety")}
    if not right[cell.caller.act]:
        yield f"the key {cell.caller.act} led to {step}"
