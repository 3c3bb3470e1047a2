"""Columns, each with its purpose, and the kinds of values that they hold. SQLite takes anything into any column, and so
does whoever writes into its file. What is of another kind is read as a value of the right one that nobody ever wrote:
its row shows as planted or altered like any other, and no other row suffers for it."""

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.types import TypeEngine


class _Checked:
    """A type of SQLAlchemy's, of which SQLite reads no other kind. PostgreSQL holds no other."""

    cache_ok = True
    kind: type
    stranger: object

    def result_processor(self, *_: object) -> Any:  # as SQLAlchemy takes it
        def process(value: Any) -> Any:
            return value if value is None or type(value) is self.kind else self.stranger

        return process


class Text(_Checked, String):
    kind = str
    stranger = "\ufffd"


class Bytes(_Checked, LargeBinary):
    kind = bytes
    stranger = b""


class Whole(_Checked, Integer):
    kind = int
    stranger = -1


class SmallWhole(_Checked, SmallInteger):
    kind = int
    stranger = -1


class YesNo(Boolean):
    """Yes or no, which are numbers in SQLite. Whatever else is no."""

    cache_ok = True

    def result_processor(self, *_: object) -> Any:  # as SQLAlchemy takes it
        def process(value: Any) -> Any:
            return None if value is None else value in (1, True)

        return process


def column(name: str, kind: TypeEngine[Any], *constraints: ForeignKey, why: str, **options: Any) -> Column[Any]:
    """A column that says what it is for. `options` are SQLAlchemy's own (Any: as it takes them)."""
    options.setdefault("nullable", False)
    return Column(name, kind, *constraints, info={"why": why}, **options)
