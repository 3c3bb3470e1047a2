"""What the inventory says of each field of a webhook is what the edge does with it."""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from ivr.line import edge, text_edge
from ivr.line.fields import FIELDS, TEXT_FIELDS, Field, Use
from tests.line.test_edge import admitted
from tests.line.test_text_edge import texted

OTHERWISE = {
    "CallUUID": "0d1b24f0-58b7-11e1-86da-77300b68f8bb",
    "Event": "Hangup",
    "CallStatus": "completed",
    "Digits": "7",
    "DialStatus": "busy",
    "ConferenceAction": "exit",
    "SessionStart": "2027-03-10 16:31:02.000001",
    "Direction": "outbound",
    "InputType": "dtmf speech",
    "ALegUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "BLegUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "RequestUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "ParentCallUUID": "3e82ae9d-2c78-4d85-b1a4-6eae7dbafb36",
    "ParentAuthID": "MANWVLYTK4ZWU1YTY4QA",
    "BillRate": "0.002",
}
"""A value that Plivo might send too."""
TEXT_OTHERWISE = {
    "From": "12125550101",
    "To": "12125550100",
    "Text": "2",
    "Body": "3",
    "MessageUUID": "0d1b24f0-58b7-11e1-86da-77300b68f8bb",
    "Type": "mms",
}
"""The same for a text. Its `To`: from her own number she cannot be answered."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One of the two: what it says of its fields, and what it does."""

    module: ModuleType
    fields: tuple[Field, ...]
    otherwise: Mapping[str, str]
    admitted: Callable[..., object]
    not_names: frozenset[str] = frozenset()
    """Words of it that look like names of fields."""


EDGES = {
    "calls": Edge(edge, FIELDS, OTHERWISE, admitted, frozenset({"POST", "Hangup"})),
    "texts": Edge(text_edge, TEXT_FIELDS, TEXT_OTHERWISE, texted, frozenset({"POST", "Cc", "Cf", "Cs"})),
}
EACH = [pytest.param(of, field, id=f"{name} {field.name}") for name, of in EDGES.items() for field in of.fields]


def sent_as(field: Field) -> str:
    return field.name.replace("*", "X")


def plain(field: Field) -> dict[str, str | None]:
    """What must be away so that a field counts: the words of a text stand in one of two."""
    return {"Text": ""} if field.name == "Body" else {}


@pytest.mark.parametrize(("of", "field"), EACH)
def test_what_passes_makes_a_difference_and_what_does_not_makes_none(of: Edge, field: Field, tmp_path: Path) -> None:
    without = plain(field)
    otherwise = of.admitted(tmp_path, **without, **{sent_as(field): of.otherwise.get(field.name, "anything")})
    assert otherwise is not None
    assert (otherwise != of.admitted(tmp_path, **without)) == (field.use is Use.PASSES)


@pytest.mark.parametrize(("of", "field"), EACH)
def test_what_is_dropped_is_not_even_looked_at(of: Edge, field: Field, tmp_path: Path) -> None:
    misshapen = of.admitted(tmp_path, **{sent_as(field): "<&>"})
    free = field.name in ("Text", "Body")
    assert (misshapen is not None) == (field.use is Use.DROPPED or free)


@pytest.mark.parametrize("of", EDGES.values(), ids=EDGES)
def test_every_field_that_the_edge_names_is_declared(of: Edge) -> None:
    tree = ast.parse(inspect.getsource(of.module))
    words = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    named = {word for word in words if isinstance(word, str) and re.fullmatch(r"[A-Z][A-Za-z]+", word)}
    declared = {field.name for field in of.fields}
    assert named - of.not_names <= declared
    assert named >= {field.name for field in of.fields if field.use is not Use.DROPPED}
