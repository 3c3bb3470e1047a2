"""What is read of Plivo's XML, and each thing that is refused."""

import pytest
from plivo import plivoxml

from ivr.carrier.behaviours import SPEECH_BREAKS, VOICES
from ivr.carrier.documents import (
    MAX_BYTES,
    MAX_SPOKEN,
    Conference,
    Dial,
    Document,
    GetDigits,
    GetInput,
    Hangup,
    Play,
    Redirect,
    Refused,
    Speak,
    Wait,
    read,
)
from tests.carrier.shows import shows

XML = "application/xml"


def reads(elements: str) -> Document:
    return read(f"<Response>{elements}</Response>".encode(), XML)


def refusal(elements: str) -> str:
    with pytest.raises(Refused) as refused:
        reads(elements)
    return str(refused.value)


def speak(text: str, *, voice: str = "WOMAN", language: str | None = "en-US", pause: float = 0.0) -> Speak:
    return Speak(text, voice, language, 1, pause)


def test_an_empty_document_is_a_document() -> None:
    assert read(b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml; charset=utf-8") == ()


def test_elements_come_in_order_with_plivos_defaults() -> None:
    assert reads(
        "<!-- first --><Speak>Hello</Speak>\n<Play>https://a.example/b.mp3</Play><Wait/>"
        '<Wait length="3"/><Redirect> https://a.example/c?d=1&amp;e=2#rc=3 </Redirect><Hangup reason="busy"/>'
    ) == (
        speak("Hello"),
        Play("https://a.example/b.mp3", 1),
        Wait(1),
        Wait(3),
        Redirect("https://a.example/c?d=1&e=2#rc=3"),
        Hangup("busy", None),
    )


def test_an_input_is_read_with_its_prompts() -> None:
    assert reads(
        '<GetInput action="https://a.example/b" finishOnKey="none" numDigits="1" log="false" digitEndTimeout="4">'
        '<Speak language="es-US">Hola</Speak></GetInput>'
    ) == (
        GetInput("https://a.example/b", "dtmf", (speak("Hola", language="es-US"),), 15, 4, 1, "", True, False),
    )  # fmt: skip
    assert reads('<GetInput action="https://a.example/b"/>') == (
        GetInput("https://a.example/b", "dtmf", (), 15, None, 32, "#", True, True),
    )
    assert reads('<GetDigits timeout="1" finishOnKey=""><Wait length="6"/></GetDigits>') == (
        GetDigits(None, (Wait(6),), 1, 2, 99, "", 1, "1234567890*#", True, True),
    )


def test_a_dial_is_read_with_whom_it_rings() -> None:
    (dial,) = reads(
        '<Dial callerId="12125550199" callerName="Line" confirmSound="https://a.example/b" confirmKey="1"'
        ' confirmTimeout="15" timeout="20"><Number>+12125550111</Number><User>sip:one@a.example</User></Dial>'
    )
    assert isinstance(dial, Dial)
    assert dial.numbers == ("+12125550111", "sip:one@a.example")
    assert (dial.caller_id, dial.caller_name, dial.confirm_key, dial.confirm_timeout, dial.timeout) == (
        *("12125550199", "Line", "1", 15, 20),
    )
    (plain,) = reads("<Dial><Number>12125550111</Number></Dial>")
    assert isinstance(plain, Dial)
    assert (plain.caller_id, plain.caller_name, plain.timeout, plain.confirm_timeout) == (None, None, None, 120)


def test_a_conference_is_read_with_plivos_defaults() -> None:
    assert reads("<Conference> room 7 </Conference>") == (
        Conference(
            name="room 7",
            starts_on_enter=True,
            ends_on_exit=False,
            stay_alone=True,
            wait_sound=None,
            max_members=20,
            time_limit=86_400,
            hangup_on_star=False,
            relay_dtmf=True,
            muted=False,
            enter_sound="",
            exit_sound="",
            record=False,
            transcription=None,
            digits_match=None,
            floor_event=False,
            action=None,
            callback_url=None,
            redirect=True,
        ),
    )


def test_a_conference_is_read_as_it_is_asked_for() -> None:
    (room,) = reads(
        '<Conference startConferenceOnEnter="false" endConferenceOnExit="true" stayAlone="false" maxMembers="2"'
        ' timeLimit="600" hangupOnStar="true" relayDTMF="false" waitSound="https://a.example/w" enterSound="beep:1"'
        ' action="https://a.example/met#rc=3" callbackUrl="https://a.example/told" digitsMatch="1,22">room</Conference>'
    )
    assert isinstance(room, Conference)
    assert (room.starts_on_enter, room.ends_on_exit, room.stay_alone) == (False, True, False)
    assert (room.max_members, room.time_limit, room.hangup_on_star, room.relay_dtmf) == (2, 600, True, False)
    assert (room.wait_sound, room.enter_sound) == ("https://a.example/w", "beep:1")
    assert (room.action, room.callback_url) == ("https://a.example/met#rc=3", "https://a.example/told")
    assert room.digits_match == "1,22"


@shows(SPEECH_BREAKS)
def test_speech_is_read_as_it_is_heard_and_its_breaks_are_added_up() -> None:
    elements = (
        '<Speak voice="Polly.Lupe-Standard">Uno<break time="500ms"/>dos <prosody rate="90%">y <s>tres</s></prosody>'
        '<break strength="strong"/> <sub alias="cuatro">4</sub> <say-as interpret-as="digits">12</say-as>'
        '<lang xml:lang="en-US">five</lang><break/></Speak>'
    )
    (heard,) = reads(elements)
    assert isinstance(heard, Speak)
    assert heard.text == "Uno dos y tres cuatro 12five"
    assert heard.language is None
    assert heard.pause_seconds == pytest.approx(0.5 + 0.6 + 0.2)
    (timed,) = reads('<Speak voice="Polly.Mia">a<break time="1.5s"/></Speak>')
    assert isinstance(timed, Speak)
    assert timed.pause_seconds == pytest.approx(1.5)


def test_what_the_sdk_builds_is_read() -> None:
    response = plivoxml.ResponseElement()
    listen = plivoxml.GetInputElement(
        action="https://a.example/b", input_type="dtmf", num_digits=1, finish_on_key="none", log=False
    )
    listen.add(plivoxml.SpeakElement("Press 1 & wait", voice="Polly.Joanna", language="en-US"))
    response.add(listen)
    response.add(plivoxml.RedirectElement("https://a.example/c?d=1&e=2"))
    response.add(plivoxml.HangupElement())
    heard = speak("Press 1 & wait", voice="Polly.Joanna")
    assert read(response.to_string().encode(), XML) == (
        GetInput("https://a.example/b", "dtmf", (heard,), 15, None, 1, "", True, False),
        Redirect("https://a.example/c?d=1&e=2"),
        Hangup(None, None),
    )


@pytest.mark.parametrize(
    ("xml", "content_type", "reason"),
    [
        (b"<Response/>", "text/html", "content type"),
        (b"<Response/>", "", "content type"),
        (b"<Response>" + b" " * MAX_BYTES + b"</Response>", XML, "bytes"),
        (b"<response/>", XML, "root"),
        (b"<Answer/>", XML, "root"),
        (b"", XML, "not XML"),
        (b"<Response>", XML, "not XML"),
        (b"<Response>&nbsp;</Response>", XML, "not XML"),
        (b"<Response><Speak>a & b</Speak></Response>", XML, "not XML"),
        (b"<Response/><Response/>", XML, "not XML"),
        (b"<Response>\xe9</Response>", XML, "not UTF-8"),
        ('<?xml version="1.0" encoding="UTF-16"?><Response/>'.encode("utf-16"), XML, "not UTF-8"),
        (b'<?xml version="1.0" encoding="nonsense"?><Response/>', XML, "not XML"),
        (b"<!DOCTYPE Response><Response/>", XML, "document type"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Response>&b;</Response>', XML, "document type"),
        (b'<Response version="1"/>', XML, "no attribute version"),
        (b"<Response>Hello</Response>", XML, "holds text"),
        (b'<Response xmlns="http://example.org"/>', XML, "root"),
    ],
)
def test_what_is_not_a_document_is_refused(xml: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        read(xml, content_type)


INPUT = '<GetInput action="https://a.example/b" {}/>'
DIGITS = "<GetDigits {}/>"
DIAL = "<Dial {}><Number>12125550111</Number></Dial>"
ROOM = "<Conference {}>room</Conference>"
POLLY = '<Speak voice="Polly.Joanna">{}</Speak>'


@shows(VOICES)
@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ("<speak>a</speak>", "<speak> is not known in <Response>"),
        ("<Say>a</Say>", "<Say> is not known"),
        ("<Number>12125550111</Number>", "<Number> is not known in <Response>"),
        *[
            (f"<{name}/>", f"<{name}> is known to Plivo but not imitated")
            for name in ("DTMF", "Message", "MultiPartyCall", "PreAnswer", "Record", "Stream")
        ],
        ("<Speak>a</Speak> b", "<Response> holds text"),
        ("<Speak></Speak>", "says nothing"),
        (f"<Speak>{'a' * (MAX_SPOKEN + 1)}</Speak>", "3001 characters"),
        ('<Speak volume="1">a</Speak>', "no attribute volume"),
        ('<Speak Voice="MAN">a</Speak>', "no attribute Voice"),
        ('<Speak voice="woman">a</Speak>', "<Speak voice> is not"),
        ('<Speak voice="Polly.joanna">a</Speak>', "<Speak voice> is not"),
        ('<Speak voice="Google.Joanna">a</Speak>', "<Speak voice> is not"),
        ('<Speak language="es">a</Speak>', "<Speak language> is not"),
        ('<Speak language="es-MX">a</Speak>', "WOMAN does not speak es-MX"),
        ('<Speak voice="MAN" language="sv-SE">a</Speak>', "MAN does not speak sv-SE"),
        ('<Speak voice="WOMAN" language="pt-PT">a</Speak>', "WOMAN does not speak pt-PT"),
        ('<Speak loop="-1">a</Speak>', "<Speak loop> is not"),
        ('<Speak loop="two">a</Speak>', "<Speak loop> is not"),
        ('<Speak>a<break time="1s"/></Speak>', "SSML needs a Polly voice"),
        (POLLY.format('<break time="11s"/>a'), "<break time> is not"),
        (POLLY.format('<break time="1 s"/>a'), "<break time> is not"),
        (POLLY.format('<break time="2"/>a'), "<break time> is not"),
        (POLLY.format('<break strength="long"/>a'), "<break strength> is not"),
        (POLLY.format("<break>a</break>a"), "<break> holds text"),
        (POLLY.format('<prosody rate="10%">a</prosody>'), "<prosody rate> is not"),
        (POLLY.format('<prosody volume="loudest">a</prosody>'), "<prosody volume> is not"),
        (POLLY.format('<prosody pitch="+1">a</prosody>'), "<prosody pitch> is not"),
        (POLLY.format("<say-as>1</say-as>"), "lacks interpret-as"),
        (POLLY.format('<say-as interpret-as="money">1</say-as>'), "<say-as interpret-as> is not"),
        (POLLY.format('<say-as interpret-as="date" format="when">1</say-as>'), "<say-as format> is not"),
        (POLLY.format("<lang>a</lang>"), "lacks"),
        (POLLY.format('<lang xml:lang="english">a</lang>'), "is not a language"),
        (POLLY.format("<sub>a</sub>"), "lacks alias"),
        (POLLY.format('<sub alias="">a</sub>'), "is empty"),
        (POLLY.format('<w role="noun">a</w>'), "<w role> is not"),
        (POLLY.format('<emphasis level="shouted">a</emphasis>'), "<emphasis level> is not"),
        (POLLY.format('<phoneme alphabet="arpabet" ph="a">a</phoneme>'), "<phoneme alphabet> is not"),
        (POLLY.format("<p><p>a</p></p>"), "<p> is not known in <p> in <Speak>"),
        (POLLY.format("<s><p>a</p></s>"), "<p> is not known in <s> in <Speak>"),
        (POLLY.format("<break><break/></break>a"), "<break> is not known in <break> in <Speak>"),
        (POLLY.format("<audio/>a"), "<audio> is not known in <Speak>"),
        (POLLY.format("<Play>https://a.example/b</Play>"), "<Play> is not known in <Speak>"),
        ("<Play></Play>", "is not an absolute URL"),
        ("<Play>/b.mp3</Play>", "is not an absolute URL"),
        ("<Play>https://a.example/b c.mp3</Play>", "is not an absolute URL"),
        ("<Play>ftp://a.example/b.mp3</Play>", "is not an absolute URL"),
        ('<Play loop="0.5">https://a.example/b.mp3</Play>', "<Play loop> is not"),
        ('<Wait length="0"/>', "<Wait length> is not"),
        ('<Wait silence="yes"/>', "<Wait silence> is not"),
        ('<Wait minSilence="0"/>', "<Wait minSilence> is not"),
        ("<Wait>a</Wait>", "<Wait> holds text"),
        ("<GetInput/>", "<GetInput> lacks action"),
        ('<GetInput action="/b"/>', "<GetInput action> is not an absolute URL"),
        ('<GetInput action="https://a.example/b#ct=1"/>', "ct=1 is not 100 to 10000 ms"),
        ('<GetInput action="https://a.example/b#rt=50000"/>', "rt=50000 is not"),
        ('<GetInput action="https://a.example/b#rc=6"/>', "rc=6 is not 0 to 5"),
        ('<GetInput action="https://a.example/b#rp=3xx"/>', "rp=3xx is not"),
        ('<GetInput action="https://a.example/b#top"/>', "'top' is not one of"),
        (INPUT.format('method="PUT"'), "<GetInput method> is not"),
        (INPUT.format('method="GET"'), "is GET"),
        (INPUT.format('inputType="voice"'), "<GetInput inputType> is not"),
        (INPUT.format('executionTimeout="4"'), "is not 5 to 60"),
        (INPUT.format('executionTimeout="61"'), "is not 5 to 60"),
        (INPUT.format('executionTimeout="015"'), "is not 5 to 60"),
        (INPUT.format('digitEndTimeout="1"'), "is not 2 to 10 or auto"),
        (INPUT.format('digitEndTimeout="11"'), "is not 2 to 10 or auto"),
        (INPUT.format('speechEndTimeout="1"'), "is not 2 to 10 or auto"),
        (INPUT.format('numDigits="0"'), "is not 1 to 32"),
        (INPUT.format('numDigits="33"'), "is not 1 to 32"),
        (INPUT.format('finishOnKey="##"'), "<GetInput finishOnKey> is not"),
        (INPUT.format('finishOnKey="None"'), "<GetInput finishOnKey> is not"),
        (INPUT.format('log="False"'), "<GetInput log> is not"),
        (INPUT.format('redirect="1"'), "<GetInput redirect> is not"),
        (INPUT.format('timeout="5"'), "no attribute timeout"),
        (INPUT.format('validDigits="1"'), "no attribute validDigits"),
        (INPUT.format('hints=""'), "is empty"),
        ('<GetInput action="https://a.example/b">a</GetInput>', "<GetInput> holds text"),
        ('<GetInput action="https://a.example/b"><Wait/></GetInput>', "<Wait> is not known in <GetInput>"),
        ('<GetInput action="https://a.example/b"><Redirect>a</Redirect></GetInput>', "<Redirect> is not known"),
        (DIGITS.format('timeout="0"'), "<GetDigits timeout> is not"),
        (DIGITS.format('digitTimeout="0"'), "<GetDigits digitTimeout> is not"),
        (DIGITS.format('retries="0"'), "<GetDigits retries> is not"),
        (DIGITS.format('numDigits="0"'), "<GetDigits numDigits> is not"),
        (DIGITS.format('validDigits="1a"'), "<GetDigits validDigits> is not"),
        (DIGITS.format('invalidDigitsSound="b.mp3"'), "<GetDigits invalidDigitsSound> is not"),
        (DIGITS.format('executionTimeout="5"'), "no attribute executionTimeout"),
        ("<Dial/>", "rings nobody"),
        ("<Dial>12125550111</Dial>", "<Dial> holds text"),
        ("<Dial><Number>911!</Number></Dial>", "<Number> is not a phone number"),
        ("<Dial><Number/></Dial>", "<Number> is not a phone number"),
        ("<Dial><User>one</User></Dial>", "<User> is not a SIP address"),
        ("<Dial><Speak>a</Speak></Dial>", "<Speak> is not known in <Dial>"),
        ('<Dial><Number sendDigits="x">12125550111</Number></Dial>', "<Number sendDigits> is not"),
        (DIAL.format('callerId="the line"'), "<Dial callerId> is not"),
        (DIAL.format(f'callerName="{"a" * 51}"'), "<Dial callerName> is not"),
        (DIAL.format('timeout="0"'), "<Dial timeout> is not"),
        (DIAL.format('timeLimit="0"'), "<Dial timeLimit> is not"),
        (DIAL.format('confirmKey="1"'), "without a confirmSound"),
        (DIAL.format('confirmTimeout="15"'), "without a confirmSound"),
        (DIAL.format('confirmSound="https://a.example/b" confirmKey="12"'), "<Dial confirmKey> is not"),
        (DIAL.format('confirmSound="b"'), "<Dial confirmSound> is not"),
        (DIAL.format('dialMusic="waltz"'), "<Dial dialMusic> is not"),
        (DIAL.format('callbackMethod="GET"'), "is GET"),
        (DIAL.format('digitsMatch="1;2"'), "<Dial digitsMatch> is not"),
        (DIAL.format('sipHeaders="a"'), "<Dial sipHeaders> is not"),
        (DIAL.format('record="true"'), "no attribute record"),
        ("<Conference/>", "<Conference> has no name"),
        ("<Conference> </Conference>", "<Conference> has no name"),
        ("<Conference><Speak>a</Speak></Conference>", "<Speak> is not known in <Conference>"),
        (ROOM.format('maxMembers="21"'), "<Conference maxMembers> is not 1 to 20"),
        (ROOM.format('maxMembers="0"'), "<Conference maxMembers> is not 1 to 20"),
        (ROOM.format('timeLimit="86401"'), "<Conference timeLimit> is not"),
        (ROOM.format('stayAlone="no"'), "<Conference stayAlone> is not"),
        (ROOM.format('relayDtmf="true"'), "no attribute relayDtmf"),
        (ROOM.format('waitMethod="POST"'), "no attribute waitMethod"),
        (ROOM.format('waitSound="music.mp3"'), "<Conference waitSound> is not an absolute URL"),
        (ROOM.format('enterSound="beep:3"'), "<Conference enterSound> is not"),
        (ROOM.format('callbackMethod="GET"'), "is GET"),
        (ROOM.format('digitsMatch="1 2"'), "<Conference digitsMatch> is not"),
        (ROOM.format('recordFileFormat="ogg"'), "<Conference recordFileFormat> is not"),
        (ROOM.format('action="https://a.example/b#rc=9"'), "rc=9 is not 0 to 5"),
        ("<Redirect/>", "is not an absolute URL"),
        ("<Redirect>/next</Redirect>", "is not an absolute URL"),
        ("<Redirect>https://a.example/b#rp=all&amp;rc=9</Redirect>", "rc=9 is not 0 to 5"),
        ('<Redirect url="https://a.example/b"/>', "no attribute url"),
        ('<Hangup reason="bored"/>', "<Hangup reason> is not"),
        ('<Hangup schedule="0"/>', "<Hangup schedule> is not"),
        ("<Hangup><Speak>a</Speak></Hangup>", "<Speak> is not known in <Hangup>"),
    ],
)
def test_what_plivo_does_not_know_is_refused_with_the_reason(elements: str, reason: str) -> None:
    assert reason in refusal(elements)
