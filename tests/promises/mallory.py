"""Mallory: she may write into the database whatever she likes. She knows every public value, has an older copy of it
and keys of her own; she has neither IVR_SECRET nor anybody's passphrase."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nacl.public import PrivateKey

from ivr.services.tagged import NEW
from ivr.store.tables import metadata
from ivr.vault import advocates, notes, organisation, receipts, sealing, signing
from ivr.vault.advocates import Locked, Role
from ivr.vault.organisation import Claim, Pin
from ivr.vault.sealing import Body
from ivr.vault.signing import NoteStatement, Signer, Statement
from ivr.vault.wrapping import public_of, wrap
from tests.founded import CHEAP

Row = dict[str, Any]

HER_PASSPHRASE = "let mallory in, please"
HER_SIGNING, HER_SEALING, HER_ORGANISATION = (bytes(PrivateKey.generate()) for _ in range(3))
HERS = Signer.of(HER_SIGNING)
HER_PUBLIC = signing.public_half(HER_SIGNING)
HER_ANSWERS = (("what", ("planted",)),)


@dataclass
class Hand:
    """Her hand in the database: raw SQL, foreign keys off. `older`: rows of her older copy, by table."""

    database: sqlite3.Connection
    pin: Pin
    older: Mapping[str, list[Row]] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        """Every row, in the order of its key."""
        keys = ", ".join(column.name for column in metadata.tables[table].primary_key)
        cursor = self.database.execute(f"SELECT * FROM {table} ORDER BY {keys}")
        names = [name for name, *_ in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def plant(self, table: str, row: Row) -> None:
        """A new row."""
        marks = ", ".join(f":{name}" for name in row)
        self.database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)

    def alter(self, table: str, row: Row, **values: Any) -> None:
        """This row, with other values."""
        where = " AND ".join(f"{column.name} = :was_{column.name}" for column in metadata.tables[table].primary_key)
        sets = ", ".join(f"{name} = :{name}" for name in values)
        was = {f"was_{column.name}": row[column.name] for column in metadata.tables[table].primary_key}
        self.database.execute(f"UPDATE OR REPLACE {table} SET {sets} WHERE {where}", {**values, **was})

    def one(self, table: str, **where: Any) -> Row:
        """The first row that is like this."""
        return next(row for row in self.rows(table) if all(row[name] == value for name, value in where.items()))


Attack = Callable[[Hand], None]


# ---- what she can make ----


def sealed(report: Row, *, epoch_key: bytes) -> tuple[bytes, bytes]:
    """A body of her own and its key, sealed to an epoch as the line does it."""
    body = Body(day="2026-11-22", handle=receipts.random_handle(), answers=HER_ANSWERS)
    place = sealing.Place(report["id"], report["form"], report["epoch"])
    done = sealing.seal(body, place, epoch_key=epoch_key)
    return done.body, done.key


def signed(report: Row, *, as_signer: bytes | None = None) -> Row:
    """A report's row with her signature, under her name or another."""
    claims = {name: report[name] for name in Statement.__slots__}
    return {**report, "signer": as_signer or HERS.id, "signature": HERS.sign(Statement(**claims))}


def whole_report(hand: Hand, *, epoch_key: bytes | None = None, as_signer: bytes | None = None, **changes: Any) -> None:
    """A report of her own, in everything like one of the line's."""
    epoch = hand.one("epochs", id=changes.get("epoch", "2026-11"))
    like = next(row for row in hand.rows("reports") if row["receipt_tag"] and row["state"] == NEW)
    row = {**like, "id": b"m" * 16, "epoch": epoch["id"], "consent": "pass_on", **changes}
    row["body"], key = sealed(row, epoch_key=epoch_key or epoch["public_key"])
    hand.plant("reports", signed(row, as_signer=as_signer))
    hand.plant("report_keys", {"report_id": row["id"], "sealed_key": key})


def whole_note(hand: Hand, *, as_signer: bytes | None = None) -> None:
    """A note of her own on a report, in everything like an advocate's."""
    report = hand.one("reports", state="confirmed")
    place = notes.Place(b"m" * 16, report["id"], report["epoch"])
    note = notes.Note("2026-11-22", "ana", "She said that it was a joke")
    done = notes.seal(note, place, epoch_key=hand.one("epochs", id=report["epoch"])["public_key"])
    signature = HERS.sign(NoteStatement(place.id, place.report_id, place.epoch, done.body))
    who = as_signer or HERS.id
    row = {"id": place.id, "report_id": place.report_id, "epoch": place.epoch, "body": done.body}
    hand.plant("notes", {**row, "signer": who, "signature": signature})
    hand.plant("note_keys", {"note_id": place.id, "sealed_key": done.key})


def certified(claim: Claim) -> bytes:
    """The certificate of an organisation of her own."""
    return organisation.certify(claim, HER_ORGANISATION)


def enrolled(role: Role, pin: Pin, name: str = "mallory") -> Locked:
    return advocates.enrol(name, HER_PASSPHRASE, role=role, pin=pin, effort=CHEAP)


def advocate_row(locked: Locked, certificate: bytes) -> Row:
    keys = {name: getattr(locked, name) for name in ("id", "name", "sealing_key", "signing_key", "salt", "wrapped")}
    effort = {"passes": locked.effort.passes, "memory": locked.effort.memory}
    return {**keys, **effort, "role": locked.role.value, "certificate": certificate}


def her_line(hand: Hand, certificate: bytes | None = None) -> None:
    """Line keys of her own, so that what she signs is the line's."""
    sealing_key, salt = public_of(HER_SEALING), wrap(b"s" * 16, to=public_of(HER_SEALING))
    forged = certified(("line", HER_PUBLIC, sealing_key, salt))
    keys = {"signer": HERS.id, "signing_key": HER_PUBLIC, "sealing_key": sealing_key, "site_salt": salt}
    hand.plant("line_keys", {**keys, "sealed": b"s" * 104, "certificate": certificate or forged})


def her_advocate(hand: Hand, certificate: bytes | None = None) -> None:
    """An advocate of her own, who signs with her key."""
    locked = enrolled(Role.LEAD, hand.pin)
    row = advocate_row(locked, certificate or certified(locked.claim()))
    hand.plant("advocates", {**row, "signing_key": HER_PUBLIC})
