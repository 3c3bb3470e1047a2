"""A call so far, as a value, and its serialised form: all that the line knows of a call between two turns.

The serialised form names steps, questions and codes by their place in the flow of its version: so it stays small."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from ivr.engine.draft import Draft
from ivr.flow.graph import Flow

SEED_BYTES = 16


class CallUnreadable(ValueError):
    """These bytes are not a call of this flow."""


class Call(msgspec.Struct, frozen=True):
    """`seed` names what the call leaves behind and nothing else; `turn` counts exchanges from 0; `began_at` is coarse.

    `silences` and `wrong_keys` count in a row at this wait. `trail`: the waits she came through, for `*`."""

    version: str
    seed: bytes
    began_at: datetime
    step: str
    language: str
    turn: int = 0
    trail: tuple[str, ...] = ()
    silences: int = 0
    wrong_keys: int = 0
    led_by_silence: bool = False
    """Silence has led her to a person once; the next time it ends the call."""
    starred: bool = False
    """Her last key was a star: a 9 now leaves, even where digits are typed."""
    impatient: bool = False
    """She pressed a key while she was told that phones will ring: they ring without another word, for the same wish."""
    typed: str = ""
    """Digits that wait to be confirmed."""
    drafts: tuple[Draft, ...] = ()
    """The newest draft of each form, and of an addition to one of its reports; the one she is at comes last."""
    transfers: int = 0
    """How often she has wished for a person."""
    holding: bool = False
    """Phones ring for her, or she talks with somebody whose phone rang."""
    about: bytes = b""
    """The report that a caller's receipt has opened. Of somebody who answers callers: the offer that her phone rang
    for, or who has signed in."""
    tries: int = 0
    """How many receipts or PINs were nobody's."""
    wished_at: int = 0
    """When she wished for a person last, or phones were dialled for it, in seconds since `began_at`."""
    told: int = 0
    """What somebody who answers callers heard of her shifts last."""
    opened: str = ""
    """The form of the report that her receipt has opened; empty for one that this flow does not know."""
    may_try_at: int = 0
    """When she may try the receipt that she typed, in seconds since `began_at`; 0: at once."""
    is_silent: bool = False
    """No key was pressed since silence led to a person, or since the caller asked for one again."""
    is_late: bool = False
    """What is answered now was said so long ago that it may be a copy of an old message: nothing is begun, but the same
    is asked once more. Of one turn; not kept."""

    def draft(self, form: str, *, adds: bool | None = None) -> Draft | None:
        """The draft of a form that she is at, or was at last; or of an addition, or of none, whichever is wanted."""
        found = (one for one in reversed(self.drafts) if one.form == form and adds in (None, one.adds))
        return next(found, None)


def begin(flow: Flow, *, seed: bytes, at: datetime) -> Call:
    """A call that has just been picked up."""
    return Call(flow.version, seed, at, flow.start, flow.languages[0])


_Place = Annotated[int, msgspec.Meta(ge=0)]
"""In a tuple of the flow: from its end, a damaged call would read some other name."""


class _PackedDraft(msgspec.Struct, array_like=True):
    form: _Place
    visit: int
    at: _Place
    consent: _Place
    confirmed: bool
    saved: bool
    endings: int
    is_over: bool
    answers: list[tuple[_Place, list[_Place] | str]]
    receipt: str
    adds: bool
    is_opened: bool = False


class _Packed(msgspec.Struct, array_like=True):
    version: bytes
    seed: bytes
    began_at: int
    step: _Place
    language: _Place
    turn: int
    trail: list[_Place]
    silences: int
    wrong_keys: int
    led_by_silence: bool
    starred: bool
    impatient: bool
    typed: str
    drafts: list[_PackedDraft]
    transfers: int
    holding: bool
    about: bytes
    tries: int
    wished_at: int
    told: int
    opened: _Place | None
    may_try_at: int
    is_silent: bool


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(call: Call, flow: Flow) -> bytes:
    """The call as bytes, to be read with the flow of its version."""
    steps = flow.index.steps
    packed = _Packed(
        bytes.fromhex(flow.version),
        call.seed,
        int(call.began_at.timestamp()),
        steps[call.step],
        flow.languages.index(call.language),
        call.turn,
        [steps[step] for step in call.trail],
        call.silences,
        call.wrong_keys,
        call.led_by_silence,
        call.starred,
        call.impatient,
        call.typed,
        [_pack_draft(draft, flow) for draft in call.drafts],
        call.transfers,
        call.holding,
        call.about,
        call.tries,
        call.wished_at,
        call.told,
        flow.index.forms.get(call.opened),
        call.may_try_at,
        call.is_silent,
    )
    return _encoder.encode(packed)


def unpack(packed: bytes, flow: Flow) -> Call:
    """The call that `pack` made bytes of. Raises CallUnreadable, also for a call of another version of the flow: its
    numbers would mean other steps and codes."""
    try:
        read = _decoder.decode(packed)
        if read.version.hex() != flow.version:
            raise CallUnreadable("a call of another version")
        steps = flow.index.step_names
        return Call(
            flow.version,
            read.seed,
            datetime.fromtimestamp(read.began_at, UTC),
            steps[read.step],
            flow.languages[read.language],
            read.turn,
            tuple([steps[place] for place in read.trail]),
            read.silences,
            read.wrong_keys,
            read.led_by_silence,
            read.starred,
            read.impatient,
            read.typed,
            tuple([_unpack_draft(draft, flow) for draft in read.drafts]),
            read.transfers,
            read.holding,
            read.about,
            read.tries,
            read.wished_at,
            read.told,
            "" if read.opened is None else flow.index.form_names[read.opened],
            read.may_try_at,
            read.is_silent,
        )
    except (msgspec.MsgspecError, LookupError, ValueError, OverflowError, OSError) as error:
        raise CallUnreadable(type(error).__name__) from error


def _pack_draft(draft: Draft, flow: Flow) -> _PackedDraft:
    form = flow.forms[draft.form]
    names = [question.name for question in form.questions]
    answers: list[tuple[int, list[int] | str]] = []
    for question, values in draft.answers:
        codes = [code.name for code in form.question(question).codes]
        answers.append((names.index(question), [codes.index(value) for value in values] if codes else values[0]))
    index = flow.index
    return _PackedDraft(
        index.forms[draft.form],
        draft.visit,
        index.steps[draft.at],
        form.consents.index(draft.consent),
        draft.confirmed,
        draft.saved,
        draft.endings,
        draft.is_over,
        answers,
        draft.receipt,
        draft.adds,
        draft.is_opened,
    )


def _unpack_draft(packed: _PackedDraft, flow: Flow) -> Draft:
    form = flow.forms[flow.index.form_names[packed.form]]
    answers: list[tuple[str, tuple[str, ...]]] = []
    for position, values in packed.answers:
        question = form.questions[position]
        if isinstance(values, str):
            answers.append((question.name, (values,)))
        else:
            answers.append((question.name, tuple([question.codes[code].name for code in values])))
    return Draft(
        form.name,
        packed.visit,
        flow.index.step_names[packed.at],
        form.consents[packed.consent],
        tuple(answers),
        packed.confirmed,
        packed.saved,
        packed.endings,
        packed.is_over,
        packed.receipt,
        packed.adds,
        packed.is_opened,
    )
