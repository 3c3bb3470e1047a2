"""Who answers phones here."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

PersonId = NewType("PersonId", bytes)


class Tier(StrEnum):
    """Whom a flow rings first, and whom when nobody of those takes the call."""

    ON_CALL = "on_call"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the organisation who can be rung. `phone` is E.164; `languages` as flows name them, her best first;
    `zone` is where her clock is."""

    id: PersonId
    name: str
    phone: str = field(repr=False)
    languages: tuple[str, ...]
    tier: Tier
    zone: str
    is_failing: bool = False
    """Her phone could not be reached when it was last rung. She is rung all the same: it may have been its network."""

    def speaks(self, language: str) -> bool:
        return language in self.languages
