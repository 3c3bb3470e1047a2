"""A turn as Plivo's voice XML, and Plivo's words as the engine's inputs. Pure: it is told every address.

A document is built once for each thing that can be said, and remembered around the places of its token and of whatever
is a caller's own: that is filled in afresh each time, and nothing of it is remembered."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, assert_never
from xml.sax.saxutils import escape

import msgspec

from ivr.channels.elements import plivoxml
from ivr.engine.effects import Connect, Effect, HandOver, HangUp, Hold, Meet, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import FellSilent, Input, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.flow.phrases import Digits, KeyName, Phrase, Private, Value, phrase
from ivr.flow.speech import Spoken, timeline
from ivr.flow.voices import LOCALES

PATIENT = "#ct=1000&rt=3000&rc=3&rp=all"
"""Plivo's per-URL fragment: connect within 1 s, answer within 3 s, three more tries, whatever the failure. Without it a
failing action URL ends the call."""

CONFIRM_KEY = "1"
CONFIRM_SECONDS = 15
FIRST_AID_SECONDS = 7_200
"""The longest conversation of a call whose place is not known."""
ALONE_PAUSE_SECONDS = 5
"""Between two times that somebody who is alone in a conference hears so."""
HOLD_SECONDS = 1
"""How long after the announcement a key may still change her mind before phones ring."""

NOT_CONNECTED = frozenset({"busy", "failed", "cancel", "timeout", "no-answer"})
"""The DialStatus values that say nobody talked. `completed` may be a phone that was answered and never confirmed."""

_GAP = "\ue000"
"""Stands in a remembered document where a call's token goes: a character that means nothing to anybody."""

_OWN_GAPS = tuple(map(chr, range(0xE001, 0xE0FF)))
"""Stand where the first, second, ... thing goes that is a caller's own."""

_ROOM_GAP = "\ue0ff"
"""Stands where the name of a conference goes: it is of one call and is not remembered either."""

_REMEMBERED = 4096
_EFFECTS = (WaitForKey, WaitForDigits, Connect, Hold, Meet, HandOver, HangUp)

_NEVER_ALONE_MEMBERS = 2
"""A conversation has two; whoever came third would listen to it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the line is reached, and what phones it rings are shown. URLs are absolute, without a slash at the end.
    `door`: callers and those who answer them have addresses of their own."""

    base: str
    number: str
    name: str
    door: Literal["voice", "staff"] = "voice"

    def keys(self, token: str) -> str:
        return self._at(f"keys/{token}")

    def silence(self, token: str) -> str:
        return self._at(f"silence/{token}")

    def dialled(self, token: str) -> str:
        return self._at(f"dialled/{token}")

    def undialled(self, token: str) -> str:
        return self._at(f"undialled/{token}")

    def talked(self, token: str) -> str:
        return self._at(f"talked/{token}")

    def again(self, token: str) -> str:
        return self._at(f"again/{token}")

    def confirm(self) -> str:
        return f"{self.base}/voice/confirm{PATIENT}"

    def entered(self, room: str) -> str:
        """What is called when somebody has entered this conference, and when they have left it."""
        return self._at(f"entered/{room}")

    def alone(self, language: str) -> str:
        """What is heard in a conference while nobody else is there."""
        return f"{self.base}/voice/alone/{language}{PATIENT}"

    def handed_over(self, *, to_staff: bool, token: str) -> str:
        """Where a call goes on in the other flow, from its start."""
        return f"{self.base}/staff/line{PATIENT}" if to_staff else f"{self.base}/voice/again/{token}{PATIENT}"

    def offered(self, offer: str) -> str:
        """What is called when somebody's phone was picked up."""
        return f"{self.base}/staff/offered/{offer}{PATIENT}"

    def offer_over(self, offer: str) -> str:
        return f"{self.base}/staff/over/{offer}{PATIENT}"

    def trial(self) -> str:
        return f"{self.base}/staff/trial{PATIENT}"

    def tried(self, token: str) -> str:
        return f"{self.base}/staff/tried/{token}{PATIENT}"

    def recording(self, language: str, prompt: str) -> str:
        return f"{self.base}/voice/audio/{language}/{prompt}.mp3"

    def _at(self, path: str) -> str:
        return f"{self.base}/{self.door}/{path}{PATIENT}"


class Voice:
    """Speaks one flow at one set of addresses."""

    def __init__(self, flow: Flow, addresses: Addresses) -> None:
        self._flow = flow
        self._addresses = addresses
        self._remembered = lru_cache(_REMEMBERED)(self._pieces)

    def encode(self, turn: Turn, token: str) -> bytes:
        """The XML of a turn with nothing left to ask; `token` goes into every address of the call."""
        then = turn.then
        assert isinstance(then, _EFFECTS), "an ask is answered before it is spoken"
        if not isinstance(then, Meet):
            return self._encoded(turn, then, token)
        anywhere = msgspec.structs.replace(then, room=_ROOM_GAP)
        return self._encoded(turn, anywhere, token).replace(_ROOM_GAP.encode(), escape(then.room).encode())

    def alone(self, language: str) -> bytes:
        """What is heard again and again in a conference while nobody else is there: never silence, and a way out. In
        every language where this is none of the flow's."""
        languages = (language,) if language in self._flow.languages else self._flow.languages
        response = plivoxml.ResponseElement()
        self._say(response, tuple(phrase("line.alone", language=one) for one in languages), languages[0])
        response.add(plivoxml.WaitElement(length=ALONE_PAUSE_SECONDS))
        return _bytes(response)

    def _encoded(self, turn: Turn, then: Effect, token: str) -> bytes:
        said = turn.said
        if not any([one.is_private for one in said]):  # noqa: C419  # a generator costs three times this list
            return token.encode("ascii").join(self._remembered(turn.call.language, said, then))
        outline, own = self._outlined(turn)
        document = token.encode("ascii").join(self._remembered(turn.call.language, outline, then))
        for gap, words in zip(_OWN_GAPS, own, strict=False):
            document = document.replace(gap.encode(), escape(words).encode())
        return document

    def trouble(self, token: str, numbers: tuple[str, ...], seconds: int) -> bytes:
        """An apology in every language, then a person, then a fresh start: when not even the engine can be asked.
        `token`: the one that was lost; nothing where there was none."""
        response = plivoxml.ResponseElement()
        again = self._addresses.again(token or "start")
        pause = _keys(again, HOLD_SECONDS)
        self._say(pause, apologies(self._flow), self._flow.languages[0])
        response.add(pause)
        if numbers:
            response.add(self._dial(Connect(numbers, seconds, FIRST_AID_SECONDS), action=again))
        response.add(plivoxml.RedirectElement(again, method="POST"))
        return _bytes(response)

    def confirm(self) -> bytes:
        """What a phone that was rung hears first, in every language: neutral, for anybody may be listening."""
        response = plivoxml.ResponseElement()
        told = tuple(
            phrase("line.confirm", language=language, key=KeyName(CONFIRM_KEY)) for language in self._flow.languages
        )
        self._say(response, told, self._flow.languages[0])
        return _bytes(response)

    def trial(self) -> bytes:
        """What a phone that is rung to try it hears, in every language: as neutral."""
        response = plivoxml.ResponseElement()
        told = tuple(phrase("line.trial", language=language) for language in self._flow.languages)
        self._say(response, told, self._flow.languages[0])
        response.add(plivoxml.HangupElement())
        return _bytes(response)

    def sorry(self) -> bytes:
        """What somebody who answers callers hears when her place is lost: she is let go, and may call again."""
        response = plivoxml.ResponseElement()
        told = tuple(phrase("line.staff_trouble", language=language) for language in self._flow.languages)
        self._say(response, told, self._flow.languages[0])
        response.add(plivoxml.HangupElement())
        return _bytes(response)

    def _outlined(self, turn: Turn) -> tuple[tuple[Phrase, ...], list[str]]:
        """What is said with gaps in place of everything of the caller's own, and what fills them."""
        own: list[str] = []

        def outlined(one: Phrase) -> Phrase:
            catalogue = self._flow.catalogues[one.language or turn.call.language]
            values: list[tuple[str, Value]] = []
            for name, value in one.values:
                if isinstance(value, Private):
                    values.append((name, Digits(_OWN_GAPS[len(own)])))
                    own.append(catalogue.word(value))
                else:
                    values.append((name, value))
            return Phrase(one.prompt, tuple(values), one.language, one.option)

        return tuple([outlined(one) if one.is_private else one for one in turn.said]), own

    def _pieces(self, language: str, said: tuple[Phrase, ...], then: Effect) -> tuple[bytes, ...]:
        return tuple(_bytes(self._document(language, said, then)).split(_GAP.encode()))

    def _document(self, language: str, said: tuple[Phrase, ...], then: Effect) -> plivoxml.ResponseElement:
        response = plivoxml.ResponseElement()
        to = self._addresses
        match then:
            case WaitForKey():
                self._wait(response, _menu(to.keys(_GAP), then), language, said)
            case WaitForDigits():
                self._wait(response, _digits(to.keys(_GAP), then), language, said)
            case Connect():
                if said:
                    pause = _keys(to.keys(_GAP), HOLD_SECONDS)
                    self._say(pause, said, language)
                    response.add(pause)
                response.add(self._dial(then, action=to.dialled(_GAP)))
                response.add(plivoxml.RedirectElement(to.undialled(_GAP), method="POST"))
            case Hold():
                piece = _keys(to.keys(_GAP), then.seconds)
                self._say(piece, said, language)
                response.add(piece)
                response.add(plivoxml.RedirectElement(to.silence(_GAP), method="POST"))
            case Meet():
                self._say(response, said, language)
                addresses = {"action": to.talked(_GAP), "entered": to.entered(_ROOM_GAP), "alone": to.alone(language)}
                response.add(_conference(then, **addresses))
                response.add(plivoxml.RedirectElement(to.talked(_GAP), method="POST"))
            case HandOver():
                self._say(response, said, language)
                there = to.handed_over(to_staff=then.to_staff, token=_GAP)
                response.add(plivoxml.RedirectElement(there, method="POST"))
            case HangUp():
                self._say(response, said, language)
                response.add(plivoxml.HangupElement())
            case _:
                assert_never(then)
        return response

    def _wait(
        self,
        response: plivoxml.ResponseElement,
        wait: plivoxml.GetInputElement,
        language: str,
        said: tuple[Phrase, ...],
    ) -> None:
        """Plivo does not call the action when nothing was pressed, but goes on to the next element."""
        self._say(wait, said, language)
        response.add(wait)
        response.add(plivoxml.RedirectElement(self._addresses.silence(_GAP), method="POST"))

    def _say(self, parent: plivoxml.PlivoXMLElement, said: tuple[Phrase, ...], language: str) -> None:
        catalogues = self._flow.catalogues
        run: list[Spoken] = []
        for spoken in timeline(said, language, catalogues):
            recorded = catalogues[spoken.language].recorded(spoken.phrase) is not None
            if run and (recorded or run[-1].language != spoken.language):
                self._speak(parent, run)
                run = []
            if recorded:
                parent.add(plivoxml.PlayElement(self._addresses.recording(spoken.language, spoken.phrase.prompt)))
            else:
                run.append(spoken)
        if run:
            self._speak(parent, run)

    def _speak(self, parent: plivoxml.PlivoXMLElement, run: list[Spoken]) -> None:
        language = run[0].language
        catalogue = self._flow.catalogues[language]
        parent.add(_speak([(said.pause, catalogue.says(said.phrase)) for said in run], catalogue.voice, language))

    def _confirming(self) -> dict[str, Any]:  # Any: of several kinds
        """Whoever answers presses a key, so that no mailbox talks with her."""
        sound = self._addresses.confirm()
        return {"confirm_sound": sound, "confirm_key": CONFIRM_KEY, "confirm_timeout": CONFIRM_SECONDS}

    def _dial(self, connect: Connect, *, action: str) -> plivoxml.DialElement:
        """Caller's id and name are always set: Plivo's defaults are the caller's own."""
        dial = plivoxml.DialElement(
            action=action,
            method="POST",
            hangup_on_star=True,
            time_limit=connect.talk_seconds,
            timeout=connect.seconds,
            caller_id=self._addresses.number,
            caller_name=self._addresses.name,
            redirect=True,
            **({} if connect.is_outside else self._confirming()),
        )
        for number in connect.numbers:
            dial.add_number(number)
        return dial


def apologies(flow: Flow) -> tuple[Phrase, ...]:
    """Sorry, in every language: for when nobody knows which is hers."""
    return tuple(phrase("line.trouble", language=language) for language in flow.languages)


def decode_keys(digits: str) -> Input:
    """What Plivo calls Digits. Nothing at all is silence."""
    return Pressed(digits) if digits else FellSilent()


def decode_dial(status: str) -> Input:
    """What Plivo calls DialStatus. What is unknown may have been a conversation: she is offered a neutral choice."""
    return Returned(talked=status not in NOT_CONNECTED)


def _menu(action: str, wait: WaitForKey) -> plivoxml.GetInputElement:
    return plivoxml.GetInputElement(
        action=action,
        method="POST",
        input_type="dtmf",
        execution_timeout=wait.seconds,
        finish_on_key="none",
        num_digits=1,
        log=False,
        redirect=True,
    )


def _digits(action: str, wait: WaitForDigits) -> plivoxml.GetInputElement:
    """One place is kept for the `#`, so that Plivo reports it when the number is full."""
    return plivoxml.GetInputElement(
        action=action,
        method="POST",
        input_type="dtmf",
        execution_timeout=wait.seconds,
        digit_end_timeout=wait.pause,
        finish_on_key="none",
        num_digits=wait.most + 1,
        log=False,
        redirect=True,
    )


def _conference(meet: Meet, *, action: str, entered: str, alone: str) -> plivoxml.ConferenceElement:
    """Two who talk. Nothing is recorded, no key is passed on; it ends with the caller, a star leads either of them out
    of it, and both have an address for what comes then. `entered` is told who comes and who leaves, so that whoever is
    left alone is taken out by request; stayAlone is true, because with false the phone company may send out whoever
    enters first. Whoever is alone hears `alone`."""
    return plivoxml.ConferenceElement(
        meet.room,
        action=action,
        method="POST",
        callback_url=entered,
        callback_method="POST",
        start_conference_on_enter=True,
        end_conference_on_exit=meet.is_caller,
        stay_alone=True,
        wait_sound=alone,
        max_members=_NEVER_ALONE_MEMBERS,
        relay_dtmf=False,
        hangup_on_star=True,
        time_limit=meet.talk_seconds,
        redirect=True,
    )


def _keys(action: str, seconds: int) -> plivoxml.GetDigitsElement:
    """A sentence that a key interrupts, followed by what comes next: GetInput cannot wait for less than 5 s."""
    return plivoxml.GetDigitsElement(
        action=action,
        method="POST",
        timeout=seconds,
        retries=1,
        finish_on_key="none",
        num_digits=1,
        log=False,
        redirect=True,
    )


def _speak(run: Iterable[tuple[float, str]], voice: str, language: str) -> plivoxml.SpeakElement:
    locale = LOCALES.get(language.partition("-")[0], language)
    if not voice.startswith("Polly."):
        return plivoxml.SpeakElement(" ".join(text for _, text in run), voice=voice, language=locale)
    speak = plivoxml.SpeakElement("", voice=voice, language=locale)
    for pause, text in run:
        if pause:
            speak.add_break(time=f"{pause * 1000:.0f}ms")
        speak.add_s(text)
    return speak


def _bytes(response: plivoxml.ResponseElement) -> bytes:
    document: str = response.to_string(pretty=False)
    return b'<?xml version="1.0" encoding="utf-8"?>' + document.encode("utf-8")
