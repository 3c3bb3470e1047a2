"""The edge forgets first: a verified webhook becomes a typed value by allow-list, and everything else is dropped here.

A caller's number, name and headers are looked at only to see that they are shaped like what Plivo sends; they go no
further. Of the call's id only keyed hashes pass."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import msgspec

from ivr.carrier.fields import parse_form
from ivr.carrier.signature import Verifier
from ivr.line import trial
from ivr.line.freshness import STAMP_SIZE, age_of, age_since, is_fresh, stamped
from ivr.line.rejections import Reason, Rejections
from ivr.vault.keyring import KeyRing
from ivr.vault.receipts import call_seed
from ivr.vault.tokens import TokenKey, kid_of

MAX_BODY = 32_768
"""Bytes. A webhook of a call has about one thousand; a text of 1,600 characters, each of them four escaped bytes, with
ten addresses of pictures about 23,000."""

_FORM_TYPE = b"application/x-www-form-urlencoded"
_FITS: Mapping[str, Callable[[str], object]] = {
    name: re.compile(shape).fullmatch
    for name, shape in {
        "CallUUID": r"[0-9A-Fa-f-]{8,64}",
        "ALegUUID": r"[0-9A-Fa-f-]{0,64}",
        "BLegUUID": r"[0-9A-Fa-f-]{0,64}",
        "RequestUUID": r"[0-9A-Fa-f-]{0,64}",
        "ParentCallUUID": r"[0-9A-Fa-f-]{0,64}",
        "ParentAuthID": r"[A-Za-z0-9]{0,32}",
        "Event": r"[A-Za-z]{0,32}",
        "CallStatus": r"[A-Za-z-]{0,32}",
        "Direction": r"[A-Za-z-]{0,16}",
        "BillRate": r"[0-9.]{0,16}",
        "SessionStart": r"[0-9][0-9 :.T+Z-]{0,40}|",
        "Digits": r"[0-9*#]{0,32}",
        "InputType": r"[a-z ]{0,16}",
        "DialStatus": r"[A-Za-z-]{0,32}",
        "ConferenceAction": r"[A-Za-z _-]{0,32}",
    }.items()
}
CALLERS, STAFF = "", "staff "
"""Whose call it is: a token of one side opens on no other."""

LEFT = "exit"
"""The ConferenceAction of somebody who leaves."""

_ALWAYS = frozenset({"CallUUID", "CallStatus", "Direction", "Event", "SessionStart"})


class Webhook(msgspec.Struct, frozen=True):
    """What of a webhook may be used. `digits` and `dial_status` are None where Plivo sent none."""

    call_uuid: str
    is_over: bool
    status: str
    """What Plivo calls CallStatus: how a phone that we rang ended."""
    digits: str | None
    dial_status: str | None
    session_start: str
    """When Plivo says that the call began; the same in every delivery of a doubled webhook."""
    has_left: bool = False
    """Of what is told about a conference: somebody has left it, where else they have entered."""

    def __repr__(self) -> str:
        """Without what tells one call from another."""
        return f"Webhook(is_over={self.is_over}, digits={self.digits!r}, dial_status={self.dial_status!r})"


@dataclass(frozen=True, slots=True)
class NewCall:
    """What a call is begun with: its seed, and a beginning no finer than the period of its seed key. `stamp`: what its
    first token is stamped with, the same in every delivery that is not late; `is_late`: see engine.call.Call."""

    seed: bytes = field(repr=False)
    began_at: datetime
    stamp: datetime = field(repr=False)
    is_late: bool


class Seal(msgspec.Struct, frozen=True):
    """The key that a call keeps, bound to that call."""

    key: TokenKey
    call: bytes

    def __repr__(self) -> str:
        return "Seal()"

    def seal(self, packed: bytes, now: datetime) -> str:
        return self.key.seal(stamped(packed, now), call=self.call)


class Resumed(msgspec.Struct, frozen=True):
    """The call that a token held, and the key to seal its next turn with. `age`: of the token, in minutes; `is_late`:
    see engine.call.Call."""

    packed: bytes
    seal: Seal
    age: int
    is_late: bool


class Edge:
    """Verifies, types and forgets. Holds the keys that calls are hashed and sealed with."""

    def __init__(
        self,
        verifier: Verifier,
        token_keys: KeyRing[TokenKey],
        seed_keys: KeyRing[bytes],
        *,
        seed_period: timedelta,
        rejections: Rejections | None = None,
    ) -> None:
        self._verifier = verifier
        self._token_keys = token_keys
        self._seed_keys = seed_keys
        self._seed_period = seed_period
        self._rejections = rejections or Rejections()

    def admit(
        self,
        method: str,
        *,
        path: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        reads: frozenset[str] = frozenset(),
    ) -> Webhook | None:
        """The webhook, or None: not from Plivo, or not shaped like anything it sends. Never raises.

        `reads`: fields that this address looks at. Plivo may leave one out; a cut body must not."""
        values = form_of(method, query=query, headers=headers, body=body)
        if values is None:
            self._rejections.count(Reason.NOT_A_FORM, headers)
            return None
        if not self._verifier.accepts(method, path=path, query=query, headers=headers, fields=values.items()):
            self._rejections.count(Reason.SIGNATURE, headers)
            return None
        call_uuid = values.get("CallUUID")
        if call_uuid is None or not _is_shaped(values) or _is_cut(values, reads):
            self._rejections.count(Reason.SHAPE, headers)
            return None
        status = values.get("CallStatus", "")
        return Webhook(
            call_uuid,
            values.get("Event") == "Hangup" or status == "completed",
            status,
            values.get("Digits"),
            values.get("DialStatus"),
            values.get("SessionStart", ""),
            values.get("ConferenceAction", "").lower() == LEFT,
        )

    def tried(self, token: str, now: datetime) -> bytes | None:
        """Whose phone a trial ring tried; None for any other token, and for one that is not fresh."""
        return trial.opened(self._token_keys, token, now)

    def begin(self, webhook: Webhook, now: datetime, *, after: str = "", side: str = CALLERS) -> tuple[NewCall, Seal]:
        """Seed and key of a call that has just been picked up; the same for every delivery of its answer webhook.

        `after` what was lost, a call that goes on begins with another seed: what it keeps then must not meet what it
        kept before. It ends in the token that was lost: if that is fresh, so is the call. Otherwise the start of the
        session decides, and without one nobody knows how old the webhook is."""
        started_at = self._handed_out_at(after, webhook, now, side) or _moment(webhook.session_start)
        is_late = started_at is None or not is_fresh(age_since(started_at, now))
        if started_at is None or not timedelta() <= now - started_at < self._seed_period:
            started_at = now
        seconds = self._seed_period.total_seconds()
        began_at = datetime.fromtimestamp(started_at.timestamp() // seconds * seconds, UTC)
        seed = call_seed(self._seed_keys.at(started_at, now=now), f"{webhook.call_uuid} {after}".rstrip())
        key = self._token_keys.at(started_at, now=now)
        return NewCall(seed, began_at, now if is_late else started_at, is_late), Seal(key, _bound(key, webhook, side))

    def _handed_out_at(self, after: str, webhook: Webhook, now: datetime, side: str) -> datetime | None:
        """When the token that `after` ends in was handed out, if it is fresh."""
        lost = self.resume(after.rpartition(" ")[2], webhook, now, side=side) if after else None
        return None if lost is None or lost.is_late else now - timedelta(minutes=max(lost.age, 0))

    def marks(self, webhook: Webhook, now: datetime) -> list[bytes]:
        """What a caller's call may be known by, one for each key that may have bound it: a hang-up has no token."""
        return [_bound(key, webhook, CALLERS) for key in self._token_keys.living(now)]

    def resume(self, token: str, webhook: Webhook, now: datetime, *, side: str = CALLERS) -> Resumed | None:
        """What a token holds; None for a token of another call, of a destroyed key, or of nobody."""
        kid = kid_of(token)
        key = self._token_keys.get(kid, now=now) if kid is not None else None
        if key is None:
            return None
        seal = Seal(key, _bound(key, webhook, side))
        opened = key.open(token, call=seal.call)
        if opened is None:
            return None
        age = age_of(opened, now)
        return Resumed(opened[STAMP_SIZE:], seal, age, not is_fresh(age))


def _bound(key: TokenKey, webhook: Webhook, side: str) -> bytes:
    return key.bind(f"{side}{webhook.call_uuid}")


def form_of(method: str, *, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> dict[str, str] | None:
    """The fields of a POST whose body is a form; None for all else."""
    if method != "POST" or query or len(body) > MAX_BODY or not is_form(headers):
        # None of our addresses has a query: fields of a signed body could be shifted into one.
        return None
    return parse_form(body)


def is_form(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a request says, once, that its body is a form."""
    kinds = [value for name, value in headers if name == b"content-type"]
    return kinds == [_FORM_TYPE] or (len(kinds) == 1 and kinds[0].partition(b";")[0].strip().lower() == _FORM_TYPE)


def _is_shaped(values: Mapping[str, str]) -> bool:
    for name, value in values.items():
        fits = _FITS.get(name)
        if fits is not None and fits(value) is None:
            return False
    return True


def _is_cut(values: Mapping[str, str], reads: frozenset[str]) -> bool:
    """Is the name of a field that is missing hidden in another? A signed body has no delimiters: it can be cut anew."""
    if values.keys() >= _ALWAYS and values.keys() >= reads:
        return False
    missing = (_ALWAYS | reads) - values.keys()
    signed = "".join(name + values[name] for name in sorted(values))
    return any(name in signed for name in missing)


def _moment(text: str) -> datetime | None:
    """Plivo writes `2027-03-10 16:59:58.120000`. Not strptime: it costs as much as a third of a turn."""
    try:
        return datetime.fromisoformat(unquote(text)[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None
