"""A trial ring, end to end: the request that `ivr rota ring` makes, and what the phone company tells afterwards."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import respx

from ivr.app import Parts, build
from ivr.carrier.fields import encode_form
from ivr.carrier.signature import NONCE, SIGNATURE, sign
from ivr.carrier.transport import AsgiTransport, Reply
from ivr.cli import place
from ivr.kit.clock import SystemClock
from ivr.settings import read
from ivr.store.database import Database
from ivr.store.live import create
from ivr.vault.organisation import read_pin
from tests.cli.test_calling import ivr
from tests.promises import orders
from tests.promises.warm import Asked
from tests.shipped import flow, staff, text

ANA = "four quiet harbor lamps"
URL = "https://line.example.org"
API = "https://api.plivo.example"
CALLS = f"{API}/v1/Account/MATESTTESTTESTTEST00/Call/"
REQUEST = "9834029e-58b6-11e1-b8b7-a5bd0e4e126f"
LEG = "97ceeb52-58b6-11e1-86da-77300b68f8bb"


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A line with Plivo, on whose rota is bo."""
    monkeypatch.setenv("IVR_DATA_DIR", str(tmp_path / "data"))
    for name, value in (
        ("PUBLIC_URL", URL),
        ("PLIVO_AUTH_ID", "MATESTTESTTESTTEST00"),
        ("PLIVO_AUTH_TOKEN", "secret"),
        ("PLIVO_NUMBER", "+15005550006"),
        ("PLIVO_API_URL", API),
    ):
        monkeypatch.setenv(f"IVR_{name}", value)
    (tmp_path / "ana").write_text(ANA)
    hers = ("--passphrase-file", str(tmp_path / "ana"))
    assert ivr("init", "--advocate", "ana", *hers, "--shares-file", str(tmp_path / "shares"))[0] == 0
    assert ivr("advocates", "add", "bo", "--phone", "+12125550143", "--answers-only", *hers)[0] == 0
    assert ivr("rota", "add", "bo", "--every-day", "00:00-24:00")[0] == 0
    yield tmp_path / "data"


def told(data: Path, url: str, **fields: str) -> Reply:
    """What the line answers when Plivo tells it this of the phone that was rung."""
    given = {
        "CallUUID": LEG,
        "From": "15005550006",
        "To": "12125550143",
        "Direction": "outbound",
        "Event": "Hangup",
        "CallStatus": "failed",
        "ALegUUID": LEG,
        "RequestUUID": LEG,
    } | fields
    signature = sign("secret", url=url, nonce="1", fields=given)
    headers = {"content-type": "application/x-www-form-urlencoded", SIGNATURE: signature, NONCE: "1"}
    of = read()
    parts = Parts(
        flow=flow(),
        staff=staff(),
        database=Database(of.database),
        spool=Database(of.spool),
        live=Database(of.live),
        secret=place.secret(of) or b"",
        pin=read_pin((data / "organisation-key").read_text()),
        carrier_token="secret",
        public_url=URL,
        number=of.number,
        keys=of.keys_dir,
        recordings=data / "none",
    )

    async def main() -> Reply:
        try:
            await parts.live.furnish(create)
            app = build(parts, SystemClock())
            return await AsgiTransport(app).post(url, headers=headers, body=encode_form(given.items()))
        finally:
            await parts.live.close()
            await parts.database.close()

    return asyncio.run(main())


def failing() -> bool:
    return "could not be reached" in ivr("rota")[1]


def ordered(router: respx.Router) -> dict[str, str]:
    """What Plivo was asked: once, with addresses without their fragments."""
    [call] = router.calls
    asked = json.loads(call.request.content)
    return {name: str(value).partition("#")[0] for name, value in asked.items()}


def test_a_phone_that_cannot_be_reached_is_flagged_until_it_can(data: Path, httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(CALLS).respond(201, json={"request_uuid": REQUEST})
    code, said = ivr("rota", "ring", "bo")
    assert (code, "about to ring" in said) == (0, True), said
    asked = ordered(httpx2_mock)
    assert (asked["to"], asked["from"], asked["caller_name"]) == ("+12125550143", "+15005550006", "Porchlight")
    heard = told(data, asked["answer_url"], Event="StartApp", CallStatus="in-progress").body.decode()
    for language in ("en", "es"):
        assert text(language, "line.trial") in heard
    assert "<Hangup" in heard
    assert not failing()
    told(data, asked["hangup_url"])
    assert failing()
    assert "COULD NOT BE REACHED" in ivr("rota", "list")[1]
    for status in ("busy", "no-answer", "completed"):
        told(data, tried(httpx2_mock), CallStatus="failed")
        assert failing()
        told(data, tried(httpx2_mock), CallStatus=status)
        assert not failing(), f"{status}: somebody's phone rang"


def test_the_end_of_a_trial_counts_once(data: Path, httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(CALLS).respond(201, json={"request_uuid": REQUEST})
    first = tried(httpx2_mock)
    told(data, first, CallStatus="failed")
    told(data, tried(httpx2_mock), CallStatus="completed")
    told(data, first, CallStatus="failed")
    assert not failing(), "it was reached since"


def tried(router: respx.Router) -> str:
    """Where the end of one more trial is told."""
    before = len(router.calls)
    assert ivr("rota", "ring", "bo")[0] == 0
    [call] = list(router.calls)[before:]
    return str(json.loads(call.request.content)["hangup_url"]).partition("#")[0]


def test_it_keeps_to_the_rules_of_every_request(data: Path, httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(CALLS).respond(201, json={"request_uuid": REQUEST})
    ivr("rota", "ring", "bo")
    [call] = httpx2_mock.calls
    assert orders.complaints(Asked(call.request.method, str(call.request.url), (), call.request.content)) == set()


def test_no_other_address_flags_anybody(data: Path, httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(CALLS).respond(201, json={"request_uuid": REQUEST})
    ivr("rota", "ring", "bo")
    genuine = ordered(httpx2_mock)["hangup_url"]
    token = genuine.rpartition("/")[2]
    a_call = told(
        data, f"{URL}/voice/answer", Event="StartApp", CallStatus="ringing", Direction="inbound"
    ).body.decode()
    a_call_s = a_call.partition("/voice/keys/")[2].partition("#")[0]
    assert len(a_call_s) == len(token)
    for other in (token[:-1] + ("A" if token[-1] != "A" else "B"), a_call_s, "x", token.lower()):
        assert told(data, f"{URL}/staff/tried/{other}").status == 200
    told(data, genuine, Event="Ring", CallStatus="failed")
    assert not failing()
    answered = told(data, f"{URL}/voice/keys/{token}", Event="Redirect", CallStatus="in-progress", Digits="1").body
    assert text("en", "line.trouble") in answered.decode(), "a trial's token is no call's"


@pytest.mark.parametrize(
    ("status", "cure", "flags"),
    [(400, "ivr rota list", True), (401, "IVR_PLIVO_AUTH_TOKEN", False), (503, "balance", False)],
)
def test_a_refusal_is_told_with_where_to_look(
    data: Path, httpx2_mock: respx.Router, status: int, cure: str, flags: bool
) -> None:
    httpx2_mock.post(CALLS).respond(status)
    code, said = ivr("rota", "ring", "bo")
    assert (code, cure in said, failing()) == (2, True, flags), said


def test_silence_of_the_phone_company_is_told_as_what_it_may_mean(data: Path, httpx2_mock: respx.Router) -> None:
    httpx2_mock.post(CALLS).mock(side_effect=httpx2.ReadTimeout("late"))
    code, said = ivr("rota", "ring", "bo")
    assert (code, "may ring all the same" in said) == (2, True)


def test_nobody_is_rung_who_is_not_there_or_without_a_phone_company(
    data: Path, monkeypatch: pytest.MonkeyPatch, httpx2_mock: respx.Router
) -> None:
    code, said = ivr("rota", "ring", "cy")
    assert (code, "ivr rota list" in said) == (2, True)
    monkeypatch.delenv("IVR_PLIVO_AUTH_ID")
    code, said = ivr("rota", "ring", "bo")
    assert (code, "no phone company here" in said) == (2, True)
    assert not httpx2_mock.calls
