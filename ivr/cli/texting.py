"""What `ivr check` shows of text messages: how many each wait takes, and each of them with its words."""

from collections.abc import Iterator, Sequence

from ivr.flow.graph import Flow
from ivr.flow.segments import Segments
from ivr.flow.texting import Sent


def figures(flow: Flow, sent: Sequence[Sent]) -> dict[str, list[str]]:
    """Two lines for each language."""
    return {language: list(_lines([one for one in sent if one.language == language])) for language in flow.languages}


def every_text(flow: Flow, every: Sequence[Sent]) -> Iterator[str]:
    """Each wait with what it costs and what is sent, the longest first."""
    for language in flow.languages:
        sent = [one for one in every if one.language == language]
        yield f"{flow.catalogues[language].name}, the longest text at each wait:"
        for one in sorted(sent, key=lambda one: (-one.segments.messages, -one.segments.characters, one.wait)):
            yield f"\n  {one.wait}: {_size(one.segments)}"
            yield from (f"    {line}" for line in one.text.splitlines())
        yield ""
    yield "What she answered stands in with the shortest answer, what she typed with the fewest digits."


def _lines(sent: Sequence[Sent]) -> Iterator[str]:
    counts = [sum(1 for one in sent if one.segments.messages == messages) for messages in (1, 2)]
    more = len(sent) - sum(counts)
    yield f"  texts, by wait                    {counts[0]} in one message, {counts[1]} in two, {more} in more"
    if sent:
        top = max(sent, key=lambda one: (one.segments.messages, one.segments.characters))
        yield f"  the longest text                  {top.wait}: {_size(top.segments)}"


def _size(size: Segments) -> str:
    messages = "1 message" if size.messages == 1 else f"{size.messages} messages"
    because = f", because of {' '.join(size.because)}" if size.because else ""
    return f"{messages}, {size.characters} characters, {size.encoding}{because}"
