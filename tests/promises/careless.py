"""Archives that do not look closely: the mutants of S4."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from ivr.services.archive import Archive, Listed, OpenReport
from ivr.services.custody.sessions import Session
from ivr.services.custody.signing import is_signed
from ivr.services.custody.trust import Signers, signers
from ivr.store import advocates, line_keys
from ivr.store import reports as stored
from ivr.store.reports import ReportRow
from ivr.vault import signing


@dataclass(frozen=True, slots=True)
class Careless(Archive):
    """Believes more rows than it may: those of `_believes`."""

    async def page(self, after: bytes = b"", *, limit: int = 100) -> Sequence[Listed]:
        believed = await self.database.read(self._believed)
        return [replace(one, trusted=one.trusted or one.id in believed) for one in await Archive.page(self, after)]

    async def read(self, report_id: bytes, session: Session) -> OpenReport | None:
        report = await Archive.read(self, report_id, session)
        believed = await self.database.read(self._believed)
        if report is None or report_id not in believed:
            return report
        return replace(report, listed=replace(report.listed, trusted=True))

    def _believed(self, connection: Connection) -> set[bytes]:
        return {row.id for row in stored.page(connection) if self._believes(row, connection)}

    def _believes(self, row: ReportRow, connection: Connection) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Blind(Careless):
    """Verifies everything but one column. `genuine`: what that column was, by the row's signature."""

    column: str
    genuine: Mapping[bytes, Any]

    def _believes(self, row: ReportRow, connection: Connection) -> bool:
        was: dict[str, Any] = {self.column: self.genuine.get(row.signature)}  # Any: as the column is
        return is_signed(replace(row, **was), signers(connection, self.pin))


@dataclass(frozen=True, slots=True)
class Pinless(Careless):
    """Takes for a signer whoever is in the database: it asks for nobody's certificate."""

    def _believes(self, row: ReportRow, connection: Connection) -> bool:
        keys = [one.signing_key for one in advocates.all_advocates(connection)]
        keys += [one.signing_key for one in line_keys.all_line_keys(connection)]
        anybody: Signers = {signing.signer_of(key): key for key in keys}
        return is_signed(row, anybody)


@dataclass(frozen=True, slots=True)
class Nameless(Careless):
    """Looks whether the signer is known, and not at the signature."""

    def _believes(self, row: ReportRow, connection: Connection) -> bool:
        return row.signer in signers(connection, self.pin)
