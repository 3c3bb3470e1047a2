"""A database of an earlier version is brought up to date with everything that is in it."""

import asyncio
from collections.abc import Sequence

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from ivr.store import claims, reports, tallies
from ivr.store.database import Database, StoreUnavailable

BEFORE_PINS = "2"

ROTA = (
    "INSERT INTO people (id, name, phone, languages, tier, zone, is_failing)"
    " VALUES (:bo, 'bo', :phone, 'en', 'on_call', 'UTC', :no), (:cy, 'cy', :phone, 'en', 'on_call', 'UTC', :no)",
    'INSERT INTO shifts (id, person, first, start, "end", zone, rule, is_break)'
    " VALUES (:shift, :bo, '2027-03-01', '22:00', '06:00', 'UTC', 'FREQ=DAILY', :no)",
    "INSERT INTO switches (person, is_on, until_at) VALUES (:bo, :no, NULL)",
)
VALUES: dict[str, object] = {"bo": b"b" * 16, "cy": b"c" * 16, "phone": b"p" * 56, "shift": b"s" * 8, "no": False}


def made(connection: Connection, version: str, statements: Sequence[str]) -> None:
    """A database as that version left it, with what somebody had put into it."""
    config = Config()
    config.set_main_option("script_location", "ivr.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, version)
    for statement in statements:
        words = {name: value for name, value in VALUES.items() if f":{name}" in statement}
        connection.execute(text(statement), words)


def test_a_rota_from_before_there_were_pins_keeps_its_people_shifts_and_switches(url: str) -> None:
    def counted(connection: Connection) -> dict[str, int]:
        counts = {
            name: f"SELECT count(*) FROM {name}{where}"
            for name, where in (("people", " WHERE pin_tag IS NULL"), ("shifts", ""), ("switches", ""))
        }
        return {name: connection.execute(text(statement)).scalar_one() for name, statement in counts.items()}

    async def main() -> None:
        database = Database(url)
        await database.furnish(lambda connection: made(connection, BEFORE_PINS, ROTA))
        await database.migrate()
        assert await database.read(counted) == {"people": 2, "shifts": 1, "switches": 1}
        one_for_both = text("UPDATE people SET pin_tag = :tag").bindparams(tag=b"t" * 16)
        with pytest.raises(StoreUnavailable, match="IntegrityError"):
            await database.write(lambda connection: connection.execute(one_for_both))
        await database.close()

    asyncio.run(main())


def test_what_refers_to_somebody_still_goes_with_her_after_the_upgrade(url: str) -> None:
    async def main() -> list[object]:
        database = Database(url)
        await database.furnish(lambda connection: made(connection, BEFORE_PINS, ROTA))
        await database.migrate()
        await database.write(lambda connection: connection.execute(text("DELETE FROM people")))
        left = await database.read(lambda connection: list(connection.execute(text("SELECT person FROM shifts"))))
        assert await database.read(lambda found: "ix_shifts_person" in _indexes(found, "shifts"))
        await database.close()
        return list(left)

    assert asyncio.run(main()) == []


BEFORE_CLAIMS = "3"

REPORTS = (
    "INSERT INTO reports (id, form, epoch, week, turn, consent, state, receipt_tag, body, signer, signature)"
    " VALUES (:report, 'bad_date', '2027-03', '2027-W10', 9, 'pass_on', 'new', :tag, :body, :signer, :signature)",
    "INSERT INTO report_keys (report_id, sealed_key, nights_left) VALUES (:report, :key, NULL)",
    "INSERT INTO tallies (week, kind, what, count) VALUES ('2027-W10', 'transfer', 'helped', 3)",
)
VALUES |= {
    "report": b"r" * 16,
    "tag": b"t" * 16,
    "body": b"b" * 640,
    "signer": b"l" * 8,
    "signature": b"g" * 64,
    "key": b"k" * 80,
}


def test_reports_from_before_there_were_claims_stay_and_a_change_can_be_claimed_once(url: str) -> None:
    async def main() -> None:
        database = Database(url)
        await database.furnish(lambda connection: made(connection, BEFORE_CLAIMS, ROTA + REPORTS))
        await database.migrate()
        kept = await database.read(lambda connection: reports.tagged(connection, {"2027-03": b"t" * 16}))
        assert [(row.id, row.consent, row.body) for row in kept] == [(b"r" * 16, "pass_on", b"b" * 640)]
        assert "ix_reports_receipt_tag" in await database.read(lambda connection: _indexes(connection, "reports"))
        assert await database.read(lambda connection: reports.sealed_key(connection, b"r" * 16)) == b"k" * 80
        assert [row.count for row in await database.read(lambda found: tallies.of_kind(found, "transfer"))] == [3]
        claimed = [await database.write(lambda connection: claims.claim(connection, b"c" * 16)) for _ in range(2)]
        assert claimed == [True, False]
        await database.close()

    asyncio.run(main())


def _indexes(connection: Connection, table: str) -> set[str | None]:
    return {index["name"] for index in inspect(connection).get_indexes(table)}
