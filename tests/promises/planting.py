"""What Mallory does: every column of every row changed, rows of her own planted, genuine ones exchanged."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from sqlalchemy import LargeBinary, Table

from ivr.services.tagged import NEW
from ivr.store.tables import metadata
from ivr.vault import advocates, epochs, recovery, signing
from ivr.vault.advocates import Locked, Role
from ivr.vault.organisation import Claim
from ivr.vault.wrapping import public_of, wrap
from tests.founded import CHEAP
from tests.promises.mallory import (
    HER_ORGANISATION,
    HER_PASSPHRASE,
    HER_PUBLIC,
    HER_SEALING,
    HER_SIGNING,
    HERS,
    Attack,
    Hand,
    Row,
    certified,
    her_advocate,
    her_line,
    sealed,
    whole_note,
    whole_report,
)


def attacks(hand: Hand) -> Iterator[tuple[str, Attack]]:
    """Everything that she plants or exchanges, each by its name, for a database like this one."""
    yield from PLANTED.items()
    yield from _recombined(hand)
    yield from _exchanged(hand)


def _with(*steps: Attack) -> Attack:
    def attack(hand: Hand) -> None:
        for step in steps:
            step(hand)

    return attack


def _as_the_line(hand: Hand) -> None:
    whole_report(hand, as_signer=hand.rows("line_keys")[0]["signer"])


def _line_with(table: str) -> Attack:
    """Line keys of her own, with a certificate that was given for something else."""
    return lambda hand: her_line(hand, hand.rows(table)[0]["certificate"])


def _advocate_with(table: str) -> Attack:
    return lambda hand: her_advocate(hand, hand.rows(table)[0]["certificate"])


def _keys_changed(table: str) -> Attack:
    """Somebody's verifying key exchanged for hers."""

    def attack(hand: Hand) -> None:
        row = hand.rows(table)[0]
        hand.alter(table, row, signing_key=HER_PUBLIC, **({"signer": HERS.id} if table == "line_keys" else {}))

    return attack


def _another_content(hand: Hand) -> None:
    """A body and a key of her own, under the genuine signature."""
    for row in (row for row in hand.rows("reports") if row["state"] != "taken_back"):
        body, key = sealed(row, epoch_key=hand.one("epochs", id=row["epoch"])["public_key"])
        hand.alter("reports", row, body=body)
        hand.alter("report_keys", {"report_id": row["id"]}, sealed_key=key)


def _twin(hand: Hand) -> None:
    """The same report once more, under another id."""
    row = hand.one("reports", state=NEW)
    hand.plant("reports", {**row, "id": b"m" * 16})
    hand.plant("report_keys", {**hand.one("report_keys", report_id=row["id"]), "report_id": b"m" * 16})


def _signature_of_something_else(hand: Hand) -> None:
    ana = hand.one("advocates", name="ana")
    row = hand.one("reports", state=NEW)
    hand.alter("reports", row, signer=signing.signer_of(ana["signing_key"]), signature=ana["certificate"])


def _her_epoch_key(hand: Hand) -> None:
    """The month's public key exchanged for hers, its certificate left, and wrapped to whoever may read."""
    for epoch in hand.rows("epochs"):
        hand.alter("epochs", epoch, public_key=public_of(HER_SEALING))
    _wrapped_to_everybody(hand, HER_SEALING)


def _her_epoch(hand: Hand) -> None:
    """A month of her own, sealed to which is a report of her own."""
    for n, genuine in enumerate(hand.rows("epochs")):
        k_receipt = wrap(epochs.receipt_key(HER_SEALING), to=hand.rows("line_keys")[0]["sealing_key"])
        row = {**genuine, "id": f"2026-0{n + 1}", "public_key": public_of(HER_SEALING), "receipt_key": k_receipt}
        hand.plant("epochs", row)
    _wrapped_to_everybody(hand, HER_SEALING)
    whole_report(hand, epoch="2026-01", epoch_key=public_of(HER_SEALING))


def _wrapped_to_everybody(hand: Hand, private: bytes) -> None:
    for epoch in hand.rows("epochs"):
        for reader in hand.rows("advocates"):
            hand.database.execute(
                "INSERT OR REPLACE INTO epoch_wraps VALUES (?, ?, ?)",
                (epoch["id"], reader["id"], wrap(private, to=reader["sealing_key"])),
            )


def _her_receipt_keys(hand: Hand) -> None:
    line = hand.rows("line_keys")[0]
    for epoch in hand.rows("epochs"):
        hand.alter("epochs", epoch, receipt_key=wrap(b"k" * 32, to=line["sealing_key"]))


def _lifted(hand: Hand) -> None:
    """An advocate made a lead, with the organisation's key of another lead, and with one of hers."""
    bo = hand.one("advocates", name="bo")
    hand.alter("advocates", bo, role="lead")
    hand.plant("organisation_wraps", {"holder": bo["id"], "wrapped": wrap(HER_ORGANISATION, to=bo["sealing_key"])})


def _a_lead_s_wrap_for_bo(hand: Hand) -> None:
    bo = hand.one("advocates", name="bo")
    wrapped = hand.one("organisation_wraps", holder=hand.one("advocates", name="ana")["id"])["wrapped"]
    hand.alter("advocates", bo, role="lead")
    hand.plant("organisation_wraps", {"holder": bo["id"], "wrapped": wrapped})


def _her_recovery(hand: Hand, *, in_place: bool) -> None:
    key = recovery.make()[0]
    genuine = hand.rows("recovery_keys")[0]
    row = {"id": key.id, "public_key": key.public_key, "certificate": genuine["certificate"]}
    if in_place:
        hand.alter("recovery_keys", genuine, **row)
    else:
        hand.plant("recovery_keys", row)
    hand.plant("organisation_wraps", {"holder": key.id, "wrapped": wrap(HER_ORGANISATION, to=key.public_key)})


def _her_passphrase(hand: Hand, *, name: str) -> None:
    """An advocate's locked keys exchanged for hers, beside the advocate's own public keys and certificate."""
    row = hand.one("advocates", name=name)
    as_she_is = Locked(
        *(row["id"], row["name"], Role(row["role"]), row["sealing_key"], row["signing_key"]), b"", CHEAP, b""
    )
    hers = advocates.Unlocked(row["id"], row["name"], Role(row["role"]), hand.pin, HER_SEALING, HER_SIGNING)
    locked = advocates.relock(as_she_is, hers, HER_PASSPHRASE, effort=CHEAP)
    changes = {"salt": locked.salt, "passes": CHEAP.passes, "memory": CHEAP.memory, "wrapped": locked.wrapped}
    hand.alter("advocates", row, **changes)


def _her_own_organisation(hand: Hand) -> None:
    """Every certificate given anew, by an organisation of hers."""
    line = hand.rows("line_keys")[0]
    claim: Claim = ("line", line["signing_key"], line["sealing_key"], line["site_salt"])
    hand.alter("line_keys", line, certificate=certified(claim))
    for row in hand.rows("advocates"):
        names = ("id", "name", "role", "sealing_key", "signing_key")
        hand.alter("advocates", row, certificate=certified(("advocate", *(row[name] for name in names))))


PLANTED: dict[str, Attack] = {
    "a report, signed with her key": whole_report,
    "a report, signed with her key in the line's name": _as_the_line,
    "a report of a line of her own": _with(her_line, whole_report),
    "a report of a line with the genuine line's certificate": _with(_line_with("line_keys"), whole_report),
    "a report of a line with an advocate's certificate": _with(_line_with("advocates"), whole_report),
    "a report of an advocate of her own": _with(her_advocate, whole_report),
    "a report of an advocate with the lead's certificate": _with(_advocate_with("advocates"), whole_report),
    "a report of an advocate with the line's certificate": _with(_advocate_with("line_keys"), whole_report),
    "a report of an advocate with a month's certificate": _with(_advocate_with("epochs"), whole_report),
    "a report of an advocate with the recovery key's certificate": _with(_advocate_with("recovery_keys"), whole_report),
    "a report of the line, whose key is now hers": _with(_keys_changed("line_keys"), whole_report),
    "a report of an advocate, whose key is now hers": _with(_keys_changed("advocates"), whole_report),
    "another content under a genuine signature": _another_content,
    "a report twice": _twin,
    "a certificate in the place of a signature": _signature_of_something_else,
    "a note, signed with her key": whole_note,
    "a note in the line's name": lambda hand: whole_note(hand, as_signer=hand.rows("line_keys")[0]["signer"]),
    "a note of an advocate of her own": _with(her_advocate, whole_note),
    "a month's key exchanged for hers": _her_epoch_key,
    "a month of her own": _her_epoch,
    "receipt keys of her own": _her_receipt_keys,
    "an advocate made a lead": _lifted,
    "an advocate given a role that there is not": lambda hand: set_to(
        "advocates", hand.one("advocates", name="bo"), "role", "treasurer"
    )(hand),
    "an advocate given a lead's wrap": _a_lead_s_wrap_for_bo,
    "a recovery key of her own": lambda hand: _her_recovery(hand, in_place=False),
    "a recovery key of her own in the place of the genuine": lambda hand: _her_recovery(hand, in_place=True),
    "a lead's keys exchanged for hers": lambda hand: _her_passphrase(hand, name="ana"),
    "an advocate's keys exchanged for hers": lambda hand: _her_passphrase(hand, name="bo"),
    "an organisation of her own": _her_own_organisation,
}

TOGETHER = (
    ("body",),
    ("receipt_tag",),
    ("consent",),
    ("state",),
    ("turn",),
    ("signature",),
    ("signature", "signer"),
    ("body", "signature", "signer"),
    ("body", "receipt_tag", "consent", "state", "turn"),
    ("body", "receipt_tag", "consent", "state", "turn", "signature", "signer", "form", "epoch", "week"),
)
"""What of two reports is exchanged together."""


def _recombined(hand: Hand) -> Iterator[tuple[str, Attack]]:
    """Two genuine reports, with parts of each other; with the other's key too, and without."""
    reports = hand.rows("reports")
    for names in TOGETHER:
        for one, other in combinations(reports, 2):
            if all(one[name] == other[name] for name in names):
                continue
            for keys in (False, True):
                yield f"exchanged: {names}, keys: {keys}", _swap("reports", one, other, names, with_keys=keys)
    keyed = {row["report_id"] for row in hand.rows("report_keys")}
    for one, other in combinations([row for row in reports if row["id"] in keyed], 2):
        yield "exchanged: keys", _swap("reports", one, other, (), with_keys=True)


def _exchanged(hand: Hand) -> Iterator[tuple[str, Attack]]:
    """What belongs to one holder, month, note or person, given to another of its kind, each column by itself."""
    for table in (table for name, table in metadata.tables.items() if name not in ("reports", "contributions")):
        rows = hand.rows(table.name)
        for column in (column.name for column in table.columns if not column.primary_key):
            for one, other in combinations(rows, 2):
                if one[column] != other[column]:
                    yield f"exchanged: {table.name}.{column}", _swap(table.name, one, other, (column,))
    ana, bo = hand.rows("advocates")[:2]
    locked = ("salt", "passes", "memory", "wrapped")
    yield "exchanged: an advocate's passphrase", _swap("advocates", ana, bo, locked)


def _swap(table: str, one: Row, other: Row, names: tuple[str, ...], *, with_keys: bool = False) -> Attack:
    def attack(hand: Hand) -> None:
        if "name" in names:
            hand.alter(table, one, name="nobody")  # two cannot have one name, not even for a moment
        if names:
            hand.alter(table, other, **{name: one[name] for name in names})
            hand.alter(table, one, **{name: other[name] for name in names})
        if with_keys:
            keys = {row["report_id"]: row["sealed_key"] for row in hand.rows("report_keys")}
            for this, that in ((one, other), (other, one)):
                if this["id"] in keys and that["id"] in keys:
                    hand.alter("report_keys", {"report_id": this["id"]}, sealed_key=keys[that["id"]])

    return attack


def altered(table: Table, column: str, hand: Hand) -> Iterator[tuple[str, Attack]]:
    """One column of every row changed: by a bit, to what another row has or this one had, to bytes of her own."""
    rows, older = hand.rows(table.name), hand.older.get(table.name, [])
    for row in rows:
        for what, value in _values(table, column, row, [*rows, *older]):
            if value != row[column]:
                yield f"{what}: {table.name}.{column}", set_to(table.name, row, column, value)


def _values(table: Table, column: str, row: Row, others: list[Row]) -> Iterator[tuple[str, Any]]:
    value = row[column]
    if isinstance(value, int):
        yield from (
            ("more", value + 1024),
            ("one less", value - 1),
            ("none at all", 0),
            ("as much as fits", 2**31 - 1),
        )
    elif isinstance(value, bytes):
        yield "a bit", bytes([*value[:-1], value[-1] ^ 1]) if value else b"\x01"
        yield "a bit in front", bytes([value[0] ^ 128, *value[1:]]) if value else b"\x80"
        yield "hers", b"m" * len(value)
        yield "nothing", b""
    elif isinstance(value, str):
        yield from (("a letter", value[:-1] + "~"), ("nothing", ""))
    else:
        kind = table.columns[column].type
        yield "something", b"m" * (kind.length or 16) if isinstance(kind, LargeBinary) else 1
    if table.columns[column].nullable:
        yield "none", None
    elsewhere = sorted({other[column] for other in others if other[column] is not None}, key=repr)
    yield from (("another's", other) for other in elsewhere[:2])


def set_to(table: str, row: Row, column: str, value: Any) -> Attack:
    """One value written."""
    return lambda hand: hand.alter(table, row, **{column: value})
