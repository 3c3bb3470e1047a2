"""The flow that ships, compiled once for all tests."""

from functools import cache
from pathlib import Path

from ivr.flow.graph import Flow
from ivr.services.content import Content, load

ROOT = Path(__file__).parent.parent


@cache
def content() -> Content:
    return load(ROOT / "flows", ROOT / "prompts")


def flow() -> Flow:
    found = content().flow
    assert found is not None, "the shipped flow is clean"
    return found


def staff() -> Flow:
    found = content().staff
    assert found is not None, "the shipped flows are clean"
    return found


def text(language: str, prompt: str) -> str:
    """A shipped text as it is said, so that tests do not depend on how it is worded. Its keys are spoken."""
    catalogue = flow().catalogues[language]
    words = catalogue.prompts[prompt].many.text
    for key, spoken in catalogue.keys.items():
        words = words.replace(f"{{{key}}}", spoken)
    return words
