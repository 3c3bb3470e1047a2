"""A Dial: rings other phones of the exchange at once, lets the first who wants it talk with the caller, and tells how
it went. Never rings for a REST request."""

from datetime import datetime, timedelta

from ivr.carrier import behaviours as known
from ivr.carrier import exchange_behaviours as also
from ivr.carrier.behaviours import imitates
from ivr.carrier.documents import Dial
from ivr.carrier.fields import Fields
from ivr.carrier.leg import DialStatus, leg_uuid
from ivr.carrier.loopback import UNANSWERED_SECONDS
from ivr.carrier.party import Cut, Dropped, Gone, Joined, Party, Pressed, Signal, Talk
from ivr.carrier.ringing import ring
from ivr.carrier.states import Over
from ivr.carrier.walk import Walk

_LET_BE = Cut(Over("carrier", "ORIGINATOR_CANCEL"), "cancel")
_TALKED = Cut(Over("caller", "NORMAL_CLEARING"), "completed")


async def dial(walk: Walk, element: Dial) -> Fields:
    """What the action of this Dial hears at its end. Raises Gone when the caller hangs up."""
    return await Dialling(walk, element).run()


class Dialling:
    """One Dial of one caller."""

    def __init__(self, walk: Walk, dial: Dial) -> None:
        if dial.callback_url is not None:
            raise walk.refused("Dial callbackUrl is not imitated")
        self._walk = walk
        self._party = walk.party
        self._table = walk.shared.table
        self._dial = dial
        self._rung: list[Party] = []
        self._talking: Party | None = None
        self._talks_from: datetime | None = None

    @imitates(known.RINGS_ALL, known.DIAL_ACTION, known.CALLER_LEAVES_DIAL)
    async def run(self) -> Fields:
        """What its action hears. Raises Gone when the caller hangs up."""
        self._party.state = "dialling"
        try:
            self._ring_all()
            status, talked = await self._until_over()
        finally:
            self._note_talk()
            for party in self._rung:
                party.tell_next(_TALKED if party.state == "talking" else _LET_BE)
        rang = any(party.rang_from is not None for party in self._rung)
        return self._party.leg.dial_fields(
            status, rang=rang, answered=talked is not None, dialled=talked.uuid if talked else None
        )

    @imitates(known.DEFAULT_CALLER)
    def _ring_all(self) -> None:
        leg, dial = self._party.leg, self._dial
        number = dial.caller_id if dial.caller_id is not None else leg.caller
        name = dial.caller_name if dial.caller_name is not None else dict(leg.extra).get("CallerName", number)
        for place, dialled in enumerate(dial.numbers):
            uuid = leg_uuid(f"{leg.uuid} dialled {len(self._party.exchange)} {place}")
            party = self._walk.shared.open(leg.dialled(uuid, dialled, shown=number), (number, name))
            self._rung.append(party)
            self._table.begin(self._rings(party))

    @imitates(known.DIAL_TIMEOUT, known.HANGUP_ON_STAR, known.STAR_STATUS)
    async def _until_over(self) -> tuple[DialStatus, Party | None]:
        """How it ended, and with whom the caller talked."""
        end_at = self._table.now() + timedelta(seconds=self._dial.timeout or UNANSWERED_SECONDS)
        talking: Party | None = None
        ended: list[DialStatus] = []
        while (left := (end_at - self._table.now()).total_seconds()) > 0:
            signal = await self._party.wait(left)
            match signal:
                case Pressed(key="*") if self._dial.hangup_on_star:
                    return ("completed", talking) if talking else ("cancel", None)
                case Joined() if talking is None:
                    talking = self._joined(signal)
                    end_at = self._table.now() + timedelta(seconds=self._dial.time_limit)
                case Dropped() if talking is None:
                    ended.append(signal.status)
                    if len(ended) == len(self._rung):
                        return _status(ended), None
                case Dropped() if talking is not None and signal.uuid == talking.uuid:
                    return "completed", talking
                case _:
                    pass
        return ("completed", talking) if talking else ("no-answer", None)

    def _joined(self, joined: Joined) -> Party:
        for party in self._rung:
            if party.uuid != joined.uuid:
                party.tell_next(_LET_BE)
        talking = next(party for party in self._rung if party.uuid == joined.uuid)
        talking.state = self._party.state = "talking"
        self._talking, self._talks_from = talking, self._table.now()
        return talking

    def _note_talk(self) -> None:
        if self._talking is None or self._talks_from is None:
            return
        now = self._table.now()
        for one, other in ((self._party, self._talking), (self._talking, self._party)):
            one.talks.append(Talk(other.number, self._talks_from, now))

    # ---- one of the phones ----

    async def _rings(self, party: Party) -> None:
        try:
            party.rings()
            phone = await ring(party, self._walk.shared.phones, seconds=None)
            party.answers(phone)
            await self._confirm(party)
            self._party.tell_next(Joined(party.uuid))
            while True:
                await party.wait(None)
        except Gone as gone:
            party.ends(gone.over, gone.status)
            self._party.tell_next(Dropped(party.uuid, gone.status))

    @imitates(known.CONFIRM_SOUND, known.UNCONFIRMED, also.CONFIRM_RINGS_ON)
    async def _confirm(self, party: Party) -> None:
        dial = self._dial
        if dial.confirm_sound is None:
            return
        walk = Walk(party, self._walk.shared)
        sounds = await walk.sounds(dial.confirm_sound, party.leg.fields("Redirect"))
        party.listens()
        for sound in sounds:
            walk.hears(sound)
            if await self._confirms(party, walk.shared.seconds(sound)):
                return
        if dial.confirm_key is not None and not await self._confirms(party, dial.confirm_timeout):
            raise Gone(Over("carrier", "NORMAL_CLEARING"), "no-answer")

    async def _confirms(self, party: Party, seconds: float) -> bool:
        end_at = self._table.now() + timedelta(seconds=seconds)
        while (left := (end_at - self._table.now()).total_seconds()) > 0:
            signal: Signal | None = await party.wait(left)
            if isinstance(signal, Pressed) and signal.key == self._dial.confirm_key:
                return True
        return False


def _status(ended: list[DialStatus]) -> DialStatus:
    kinds = set(ended)
    return ended[0] if len(kinds) == 1 and kinds <= {"busy", "failed"} else "no-answer"
