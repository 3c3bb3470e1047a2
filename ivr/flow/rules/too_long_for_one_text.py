"""A text takes more messages than promised.

Why: Each message costs money, comes alone or out of order, and is cut where the phone is cheap. One á, í, ó or ú makes
every character of a text dearer: 70 fit in a message, not 160.

Example:

    promises: { texts_within: 2 }
    prompts:
      safety: If you are in danger at this moment, or believe that you may be soon, please ...

Cure: Write a shorter wording of the named prompt under `text:`; `ivr check --texts` shows every text. Where accents are
what makes it dear, write `accents_in_texts: dropped`.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, Place
from ivr.flow.graph import Flow
from ivr.flow.message import DROPPED
from ivr.flow.phrases import Label, Phrase
from ivr.flow.subject import Subject
from ivr.flow.texting import Sent, longest

_WITHOUT = dict.fromkeys(DROPPED)


def check(subject: Subject) -> Iterator[Diagnostic]:
    promise = subject.file.promises.texts_within
    if promise is None:
        return
    flow, told = subject.flow, set[Place]()
    long = [sent for sent in longest(flow) if sent.segments.messages > int(promise)]
    for language in flow.languages:
        dear = [sent for sent in long if sent.language == language and sent.segments.because]
        if dear:
            worst = max(dear, key=lambda sent: (sent.segments.messages, sent.segments.characters))
            helps = not flow.catalogues[language].drops_accents and not worst.segments.because.translate(_WITHOUT)
            cure = f"Write it without them{', or `accents_in_texts: dropped`' if helps else ''}."
            yield _found(worst, _place(flow, worst), cure, within=int(promise), others=len(dear) - 1)
    for sent in long:
        place = _place(flow, sent)
        if not sent.segments.because and place not in told:
            told.add(place)
            yield _found(sent, place, "Say it shorter under `text:`.", within=int(promise))


def _found(sent: Sent, place: Place, cure: str, *, within: int, others: int = 0) -> Diagnostic:
    """`others`: so many more are dear, all for the same reason."""
    size = sent.segments
    why = f", because of {' '.join(f'`{sign}`' for sign in size.because[:4])}" if size.because else ""
    messages = "message" if size.messages == 1 else "messages"
    where = f"`{sent.wait}`" if not others else f"`{sent.wait}`, and so at {others} more,"
    message = (
        f"At {where} a text in `{sent.language}` takes {size.messages} {messages}, not {within}:"
        f" {size.characters} characters of {size.encoding}{why}."
    )
    return Diagnostic(place, "too-long-for-one-text", message, cure)


def _place(flow: Flow, sent: Sent) -> Place:
    """Of the longest thing that is said there, and that somebody wrote; if accents are what makes it dear, of one that
    has them."""

    def words(one: Phrase) -> str:
        return flow.catalogues[one.language or sent.language].writes(one)

    dear = [one for one in sent.said if set(words(one)) & set(sent.segments.because)]
    said = max(dear or sent.said, key=lambda one: len(words(one)))
    label = next((value for _, value in said.values if isinstance(value, Label)), None)
    return flow.catalogues[said.language or sent.language].wording(label.prompt if label else said.prompt).place
