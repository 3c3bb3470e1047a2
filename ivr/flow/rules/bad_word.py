"""A word that is sent in place of a key cannot be one, or is taken.

Why: The phone company keeps STOP, START and some others for itself and answers them; what has two meanings has none.

Example:

    words: { start: VOICE, menu: MENU, back: BACK, skip: SKIP, leave: STOP }

Cure: Choose one word of letters only, and another one for each thing in each language. Two languages may share a word
for the same thing, except the one that begins a conversation: it says in which language.
"""

from collections.abc import Iterator

from ivr.flow.diagnostics import Diagnostic, shortened
from ivr.flow.line import CARRIERS, HELPING, MORE_WORDS, WORDS
from ivr.flow.source import Word
from ivr.flow.subject import Texts
from ivr.flow.words import Meaning, folded

_CURE = "Choose another word."


def check(texts: Texts) -> Iterator[Diagnostic]:
    taken: dict[str, Meaning] = {}
    for language, written in texts.written.items():
        for what in (*WORDS, *MORE_WORDS):
            word = written.words.get(what)
            wrong = _alone(what, word) if word is not None else None
            if wrong is not None:
                yield wrong
            elif word is not None:
                meaning = Meaning(what, language)
                first = taken.setdefault(folded(word), meaning)
                if first.what != what or (what == "start" and first.language != language):
                    message = f"`{shortened(word)}` is already the word for `{first.what}` in `{first.language}`."
                    yield Diagnostic(word.place, "bad-word", message, _CURE)


def _alone(what: str, word: Word) -> Diagnostic | None:
    shown = shortened(word)
    if len(word.split()) > 1:
        message, cure = f"`{shown}` is more than one word.", "Write one word, without blanks."
    elif not word.strip().isalpha():
        message, cure = f"`{shown}` is not made of letters only.", "Choose a word of letters."
    elif what == "help" and folded(word).upper() in HELPING:
        message, cure = f"`{shown}` is understood in every language already.", "Leave `help` out."
    elif folded(word).upper() in CARRIERS:
        message, cure = f"The phone company keeps `{shown}` for itself, and answers it.", _CURE
    else:
        return None
    return Diagnostic(word.place, "bad-word", message, cure)
