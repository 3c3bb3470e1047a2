"""What this process still holds: a search through every value that Python can reach. Bytes that were freed, and not yet
written over, are not found: nobody promises that they are gone."""

import gc
from base64 import b64encode
from collections.abc import Mapping

MASK = 0x5A
LONGEST = 100_000
"""Bytes. Nothing longer is a key, or a handful of keys."""


class Hidden:
    """A secret that a test holds without being found to hold it."""

    __slots__ = ("_masked",)

    def __init__(self, secret: bytes) -> None:
        self._masked = bytes(byte ^ MASK for byte in secret)

    def shown(self) -> bytes:
        """The secret itself: let go of it at once."""
        return bytes(byte ^ MASK for byte in self._masked)

    def is_in(self, content: bytes) -> bool:
        return self.shown() in content


def remembered(secrets: Mapping[str, Hidden]) -> set[str]:
    """The names of those that some value holds: as bytes, or as text in hexadecimal or base64."""
    gc.collect()
    values = _values()
    found = set()
    for name, hidden in secrets.items():
        secret = hidden.shown()
        texts = (secret.hex(), b64encode(secret).decode())
        if any(secret in value if not isinstance(value, str) else _tells(value, texts) for value in values):
            found.add(name)
    return found


def _tells(value: str, texts: tuple[str, ...]) -> bool:
    return any(text in value for text in texts)


def _values() -> list[bytes | bytearray | str]:
    """Every string of bytes or of letters that may hold a key."""
    found: dict[int, bytes | bytearray | str] = {}
    seen: set[int] = set()
    todo: list[object] = gc.get_objects()
    while todo:
        for one in gc.get_referents(todo.pop()):
            if isinstance(one, bytes | bytearray | str):
                if 32 <= len(one) <= LONGEST:
                    found[id(one)] = one
            elif not gc.is_tracked(one) and id(one) not in seen:  # a dict or tuple of plain values, for one
                seen.add(id(one))
                todo.append(one)
    return list(found.values())
