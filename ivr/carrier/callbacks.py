"""The URL that Plivo is to call, with what its fragment says about time-outs and retries. The fragment stays with
Plivo: it is neither sent nor signed."""

from dataclasses import dataclass
from typing import Literal

Policy = Literal["4xx", "5xx", "ct", "rt"]
"""What is tried again: an answer of 400 to 499, of 500 to 599, no connection in time, no answer in time."""

_POLICIES: tuple[Policy, ...] = ("4xx", "5xx", "ct", "rt")
_MILLISECONDS = {"ct": (100, 10_000), "rt": (100, 40_000), "tt": (100, 55_000)}
_DEFAULTS = {"ct": "2000", "rt": "40000", "tt": "55000", "rc": "1", "rp": "ct,rt", "er": ""}


@dataclass(frozen=True, slots=True)
class Callback:
    """Source: Plivo, "Callback configurations" (docs/voice/concepts/callback-configurations)."""

    url: str
    """Without the fragment: what is requested and signed."""
    connect_ms: int
    read_ms: int
    total_ms: int
    retries: int
    """0 to 5, after the first try."""
    policy: frozenset[Policy]


def parse_callback(url: str) -> Callback:
    """Raises ValueError for a fragment that Plivo does not document. What it leaves out has Plivo's default."""
    address, _, fragment = url.partition("#")
    said = dict(_setting(part) for part in fragment.split("&")) if fragment else {}
    values = _DEFAULTS | said
    retries = values["rc"]
    if retries not in {"0", "1", "2", "3", "4", "5"}:
        raise ValueError(f"rc={retries} is not 0 to 5")
    spans = {name: _span(name, values[name]) for name in _MILLISECONDS}
    return Callback(address, spans["ct"], spans["rt"], spans["tt"], int(retries), _policy(values["rp"]))


def _setting(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    if name not in _DEFAULTS or not value:
        raise ValueError(f"{part!r} is not one of ct, rt, tt, rc, rp, er with a value")
    return name, value


def _span(name: str, value: str) -> int:
    least, most = _MILLISECONDS[name]
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ValueError(f"{name}={value} is not {least} to {most} ms")
    return int(value)


def _policy(value: str) -> frozenset[Policy]:
    if value == "all":
        return frozenset(_POLICIES)
    words = value.split(",")
    if not set(words) <= set(_POLICIES):
        raise ValueError(f"rp={value} is not all, or some of {', '.join(_POLICIES)}")
    return frozenset(policy for policy in _POLICIES if policy in words)
