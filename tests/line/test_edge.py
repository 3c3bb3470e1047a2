"""The edge: what passes it, and what is begun with it."""

from datetime import timedelta
from pathlib import Path

import pytest

from ivr.carrier.fields import encode_form
from ivr.carrier.signature import NONCE, SIGNATURE, Verifier, sign
from ivr.line.edge import Edge, Webhook
from ivr.vault.receipts import ROLLS, seed_keys
from ivr.vault.tokens import token_keys
from tests.engine.caller import NOON

URL = "https://line.example.org"
PATH = "/voice/answer"
GENUINE = {
    "CallUUID": "97ceeb52-58b6-11e1-86da-77300b68f8bb",
    "From": "12125550100",
    "To": "12125550199",
    "CallStatus": "ringing",
    "Direction": "inbound",
    "Event": "StartApp",
    "SessionStart": "2027-03-10 16:59:58.120000",
    "CallerName": "ROSA M",
    "SIP-H-To": "<sip:line@example.org>;tag=1",
}


def edge(folder: Path) -> Edge:
    return Edge(Verifier(["token"], URL), token_keys(folder), seed_keys(folder), seed_period=ROLLS)


def admitted(folder: Path, **changes: str | None) -> Webhook | None:
    fields = [(name, value) for name, value in {**GENUINE, **changes}.items() if value is not None]
    signature = sign("token", url=URL + PATH, nonce="1", fields=fields)
    headers = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (SIGNATURE.lower().encode(), signature.encode()),
        (NONCE.lower().encode(), b"1"),
    ]
    return edge(folder).admit("POST", path=PATH.encode(), query=b"", headers=headers, body=encode_form(fields))


def test_only_what_is_allowed_passes(tmp_path: Path) -> None:
    webhook = admitted(tmp_path)
    assert webhook is not None
    shown = repr(webhook)
    for identifier in ("97ceeb52", "12125550100", "ROSA", "sip:", "16:59"):
        assert identifier not in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"CallUUID": None},
        {"CallUUID": "x"},
        {"CallUUID": "97ceeb52-58b6-11e1-86da-77300b68f8bbCallerName"},
        {"Digits": "1Direction"},
        {"CallStatus": "ringingFrom12125550100"},
        {"Event": "Start App"},
        {"DialStatus": "<completed>"},
    ],
)
def test_a_field_that_does_not_look_like_plivos_is_refused_though_it_is_signed(
    tmp_path: Path, changes: dict[str, str | None]
) -> None:
    assert admitted(tmp_path, **changes) is None


@pytest.mark.parametrize(
    "changes", [{"Foo[]": "x"}, {"a b": "1"}, {"CallStatus": "Ringing"}, {"From": None}, {"To": None}, {"Event": None}]
)
def test_what_nobody_documents_is_no_reason_to_turn_a_caller_away(
    tmp_path: Path, changes: dict[str, str | None]
) -> None:
    assert admitted(tmp_path, **changes) is not None


def test_a_body_cut_so_that_a_field_is_lost_is_refused(tmp_path: Path) -> None:
    assert admitted(tmp_path, Event=None, Even="tStartApp") is None
    assert admitted(tmp_path, Direction=None, BillRate=None, Dir="ectioninbound") is None


def test_a_doubled_answer_webhook_begins_the_same_call_across_the_roll_of_the_seed_keys(tmp_path: Path) -> None:
    webhook = admitted(tmp_path)
    assert webhook is not None
    first, _ = edge(tmp_path).begin(webhook, NOON - timedelta(seconds=1))
    doubled, _ = edge(tmp_path).begin(webhook, NOON + timedelta(seconds=8))
    assert first == doubled


def test_without_a_session_start_the_clock_decides(tmp_path: Path) -> None:
    for odd in (None, "", "yesterday", "2027-03-10 04:59:58"):
        if odd == "yesterday":
            assert admitted(tmp_path, SessionStart=odd) is None
            continue
        webhook = admitted(tmp_path, SessionStart=odd)
        assert webhook is not None
        assert edge(tmp_path).begin(webhook, NOON)[0].began_at == NOON


def test_what_goes_on_after_a_call_lost_its_place_has_a_seed_of_its_own(tmp_path: Path) -> None:
    webhook = admitted(tmp_path)
    assert webhook is not None
    seeds = {edge(tmp_path).begin(webhook, NOON, after=after)[0].seed for after in ("", "one-token", "another-token")}
    assert len(seeds) == 3
