"""What the inventory says of each field of a webhook is what the edge does with it."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from ivr.line import edge
from ivr.line.fields import FIELDS, Field, Use
from tests.line.test_edge import admitted

OTHERWISE = {
    "CallUUID": "0d1b24f0-58b7-11e1-86da-77300b68f8bb",
    "Event": "Hangup",
    "CallStatus": "completed",
    "Digits": "7",
    "DialStatus": "busy",
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
NOT_A_NAME = {"POST", "Hangup"}
"""Words of the edge that look like names of fields."""


def of(use: Use) -> list[Field]:
    return [field for field in FIELDS if field.use is use]


def sent_as(field: Field) -> str:
    return field.name.replace("*", "X")


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_what_passes_makes_a_difference_and_what_does_not_makes_none(field: Field, tmp_path: Path) -> None:
    otherwise = admitted(tmp_path, **{sent_as(field): OTHERWISE.get(field.name, "anything")})
    assert otherwise is not None
    assert (otherwise != admitted(tmp_path)) == (field.use is Use.PASSES)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_what_is_dropped_is_not_even_looked_at(field: Field, tmp_path: Path) -> None:
    misshapen = admitted(tmp_path, **{sent_as(field): "<&>"})
    assert (misshapen is not None) == (field.use is Use.DROPPED)


def test_every_field_that_the_edge_names_is_declared() -> None:
    words = (node.value for node in ast.walk(ast.parse(inspect.getsource(edge))) if isinstance(node, ast.Constant))
    named = {word for word in words if isinstance(word, str) and re.fullmatch(r"[A-Z][A-Za-z]+", word)} - NOT_A_NAME
    assert named == {field.name for field in FIELDS if field.use is not Use.DROPPED}
