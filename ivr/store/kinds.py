"""The kinds of values that columns hold. SQLite takes anything into any column, and so does whoever writes into its
file: what comes back as another kind ends the transaction, before anybody compares or opens it."""

from typing import Any

from sqlalchemy import Boolean, Integer, LargeBinary, SmallInteger, String


class WrongKind(Exception):
    """A column holds what was never written into it. The message holds no value."""


class _Checked:
    """A type of SQLAlchemy's, of which SQLite reads no other kind. PostgreSQL holds no other."""

    cache_ok = True
    kind: type

    def result_processor(self, *_: object) -> Any:  # as SQLAlchemy takes it
        def process(value: Any) -> Any:
            if value is None or type(value) is self.kind:
                return value
            raise WrongKind(f"{type(value).__name__} where {self.kind.__name__} belongs")

        return process


class Text(_Checked, String):
    kind = str


class Bytes(_Checked, LargeBinary):
    kind = bytes


class Whole(_Checked, Integer):
    kind = int


class SmallWhole(_Checked, SmallInteger):
    kind = int


class YesNo(Boolean):
    """Yes or no, which are numbers in SQLite."""

    cache_ok = True

    def result_processor(self, *_: object) -> Any:  # as SQLAlchemy takes it
        def process(value: Any) -> Any:
            if value is None or value in (0, 1):
                return None if value is None else bool(value)
            raise WrongKind(f"{type(value).__name__} where yes or no belongs")

        return process
