"""What the rules look at: the compiled flow beside what was written, with places. Built once by the compiler."""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.flow.catalogues import Written
from ivr.flow.diagnostics import Place
from ivr.flow.graph import Flow
from ivr.flow.forms import WrittenForm
from ivr.flow.model import FlowFile, Verb


@dataclass(frozen=True, slots=True)
class Subject:
    """`lines`: step name -> what was written. `uses`: prompt name -> where a flow or form needs it. `optional`: prompts
    that are said if they are there. `written`: the prompts of every language that has a file."""

    flow: Flow
    file: FlowFile
    lines: Mapping[str, Verb]
    forms: Mapping[str, WrittenForm]
    uses: Mapping[str, Place]
    optional: frozenset[str]
    written: Mapping[str, Written]
