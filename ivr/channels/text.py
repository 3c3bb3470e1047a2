"""A text message as what is said, and her text as what it means. Pure: it knows no number, no conversation and nothing
of what was sent before.

Her words are read in two steps: `read` sees what needs no place in a flow (to stop, help, the beginning, the menu),
`next_keys` what of the others is pressed at one wait, as often as there are waits to answer."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr.flow.graph import Collect, Flow, Wait
from ivr.flow.line import HELPING, STOPPING
from ivr.flow.message import message
from ivr.flow.phrases import Phrase
from ivr.flow.segments import fits
from ivr.flow.words import Meaning, folded, meanings

KEYS = frozenset("0123456789*#")
PERSON = "0"
STRANGE = "?"
"""A key that no phone has: whatever is not understood."""
A_NUMBER = 7
"""So many digits are somebody's number, or a receipt, and not so many answers."""
LEAVE = " leave "
"""She is done, behind other answers. No word of hers has a blank in it."""
HELP = " help "
"""She needs somebody, behind other answers: no digit of a number that she is writing."""
BREAK = ","
"""A comma, a semicolon or a line break: what stands on its two sides is not one number."""

_BREAKS = frozenset(",;\n\r\u2028\u2029،؛、，；")
_SIGNS = {"＃": "#", "﹟": "#", "＊": "*", "﹡": "*", "＋": "+"}
_IN_NUMBERS = "+-.()/‐‑‒–—−·"
"""What people write into a number without meaning anything by it."""

_NUMBERED = str.maketrans("", "", _IN_NUMBERS)
_PRESSED = str.maketrans("", "", "*#")


# ---- what she reads ----


def encode(said: Sequence[Phrase], language: str, flow: Flow) -> str:
    """Everything that one turn says, as one message. Where that is more than may be sent, what was told first is left
    out: she must read what she is asked."""
    words = message(said, language, flow.catalogues)
    while len(said) > 1 and not fits(words):
        said = said[1:]
        words = message(said, language, flow.catalogues)
    return words


# ---- what she writes ----


@dataclass(frozen=True, slots=True)
class Stops:
    """From here nothing may be sent to her."""


@dataclass(frozen=True, slots=True)
class Helps:
    """She needs somebody: a word for it, and no answer, whatever she says around it. `language`: that of the word, if
    it is one language's."""

    language: str = ""


@dataclass(frozen=True, slots=True)
class Starts:
    """The word that begins a conversation in a language, and what she answered in the same text."""

    language: str
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Menu:
    """Back to the first menu, and what she answered there in the same text."""

    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaves:
    """She is done. `language`: that of the word."""

    language: str


@dataclass(frozen=True, slots=True)
class Says:
    """Answers, for `next_keys`. No words: a text with nothing in it."""

    words: tuple[str, ...]


Message = Stops | Helps | Starts | Menu | Leaves | Says


def read(text: str, flow: Flow) -> Message:
    """What a text is. Never raises, whatever it holds."""
    words = tuple(_words(text))
    if " ".join(folded(_bare(word)) for word in words if word != BREAK).upper() in STOPPING:
        return Stops()  # also where a full stop hides it from the phone company: it was meant
    known = _HELPS | meanings(flow.catalogues)
    if (asked := _asked(words, known)) is not None:
        return Helps(asked.language)  # whatever the phone company tells her, it is not whom to call
    first = known.get(folded(_bare(words[0]))) if words else None
    if first is not None and first.what == "leave":
        return Leaves(first.language)
    then = tuple(_keyed(word, known) for word in words)
    if first is not None and first.what == "start":
        return Starts(first.language, _trimmed(then[1:]))
    if first is not None and first.what == "menu":
        return Menu(_trimmed(then[1:]))
    return Says(then)


def next_keys(words: tuple[str, ...], step: Wait) -> tuple[str, tuple[str, ...]]:
    """What is pressed at `step`, and the words that are left: always fewer, or shorter. At a menu one key, where digits
    are typed all that belong together; a word that is no key as it is, for the engine to call wrong."""
    words = _trimmed(words)
    if not words:
        return "", ()
    if isinstance(step, Collect):
        return _typed(words, step)
    return _pressed(words)


def _pressed(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The first key of the first word; STRANGE where that is a piece of something else."""
    bare = _bare(words[0])
    if not bare or not set(bare) <= KEYS:
        return _no_key(words)
    if _is_piece(bare, words):
        return STRANGE, ()
    return bare[0], _trimmed((bare[1:], *words[1:]))


def _is_piece(bare: str, words: tuple[str, ...]) -> bool:
    """Of a number ("10", a receipt, a telephone's), of a time ("9 pm"), of a sentence ("2 men in a car"): 0 and 9 are
    keys only where they stand alone, and 9, which forgets everything, only at the end."""
    if bare[0] not in "123456789" and len(bare) == 1:
        return False
    behind = words[1] if len(words) > 1 else ""
    is_sentence = behind not in (LEAVE, HELP) and any(sign.isalpha() for sign in behind)
    digits = bare.rstrip("*#")
    is_glued = digits.isdigit() and len(digits) > 1 and not {PERSON, "9"}.isdisjoint(digits)
    return is_sentence or is_glued or (bare == "9" and behind != "") or is_number(words)


def is_number(words: tuple[str, ...]) -> bool:
    """Do these words begin with a number, in groups or in one go? A single digit is an answer, whatever follows it."""
    groups = []
    for word in words:
        plain = plain_number(word)
        if not plain.isdigit():
            break
        groups.append(len(plain))
    return sum(groups) >= A_NUMBER and (groups[0] > 1 or words[0].startswith("+"))


def _typed(words: tuple[str, ...], step: Collect) -> tuple[str, tuple[str, ...]]:
    """All digits up to a break, a `#`, a `*` or a word that is no number; only the first word's where all are too many
    and those fit. A 0 that stands alone at the beginning is a person, unless it begins a number of just that length."""
    first, after = _number(words[0])
    if first is None:
        return _no_key(words)
    if first == "":
        return (after[0], _trimmed((after[1:], *words[1:]))) if after else _no_key(words)
    digits, behind, taken = _joined(words, step)
    if (first == PERSON and len(digits) != step.most) or len(digits) > step.most >= len(first) >= step.least:
        digits, taken = first, 1
    else:
        after = behind
    ended = after.startswith("#")
    return digits + "#" * ended, _trimmed((after[ended:], *words[taken:]))


def _joined(words: tuple[str, ...], step: Collect) -> tuple[str, str, int]:
    """All digits that belong together, the keys behind them, and how many words they are. Where just so many fit, what
    follows them is another answer: receipts are written in groups. So is a single digit behind a telephone's number."""
    digits, after, taken = "", "", 0
    for word in words:
        is_whole = step.least < step.most and len(digits) >= A_NUMBER and max(map(len, words[:taken])) > 2
        more, behind = (None, "") if after or word == BREAK else _number(word)
        if more is None or (step.least == step.most == len(digits)) or (is_whole and len(more) == 1):
            break
        digits, after, taken = digits + more, behind, taken + 1
    return digits, after, taken


def _number(word: str) -> tuple[str | None, str]:
    """The digits of a word and, from its first `#` or `*` on, the keys behind them; None where it is no number."""
    plain = _bare(word.translate(_NUMBERED))
    at = next((place for place, sign in enumerate(plain) if sign in "*#"), len(plain))
    digits, after = plain[:at], plain[at:]
    if not plain and word.translate(_NUMBERED):
        return None, ""
    return (digits, after) if set(plain) <= KEYS else (None, "")


def _no_key(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The word without signs that would be keys where digits are typed."""
    return words[0].translate(_PRESSED), _trimmed(words[1:])


def _trimmed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Without breaks, and nothings, at both ends."""
    first, last = 0, len(words)
    while first < last and words[first] in (BREAK, ""):
        first += 1
    while last > first and words[last - 1] in (BREAK, ""):
        last -= 1
    return words[first:last]


# ---- words ----


_HELPS = {folded(word): Meaning("help", "") for word in HELPING}


def _asked(words: tuple[str, ...], known: Mapping[str, Meaning]) -> Meaning | None:
    """The word for help, if she writes one and presses nothing."""
    meant = [known.get(folded(_bare(word))) for word in words]
    if any(not KEYS.isdisjoint(word) for word in words) or any(one and one.what != "help" for one in meant):
        return None
    return next((one for one in meant if one is not None), None)


def _words(text: str) -> Iterator[str]:
    """Words as they were typed, but digits of every script as 0 to 9, without what cannot be seen; and each break."""
    plain = "".join(f" {BREAK} " if sign in _BREAKS else _plain(sign) for sign in text)
    after_break = True
    words = plain.split()
    while words and words[-1] == BREAK:
        words.pop()
    for word in words:
        if word != BREAK or not after_break:
            yield word
        after_break = word == BREAK


def _plain(sign: str) -> str:
    """One sign; keycaps lose their frame."""
    if sign in _SIGNS:
        return _SIGNS[sign]
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return str(digit)
    kind = unicodedata.category(sign)
    if kind in ("Cf", "Me") or "\ufe00" <= sign <= "\ufe0f":
        return ""
    return " " if kind in ("Zs", "Cc") else sign


def plain_number(word: str) -> str:
    """A word without what people write around a number and into it."""
    return _bare(word.translate(_NUMBERED))


def _bare(word: str) -> str:
    """Without punctuation at either end; `*` and `#` are keys."""
    first, last = 0, len(word)
    while first < last and _is_around(word[first]):
        first += 1
    while last > first and _is_around(word[last - 1]):
        last -= 1
    return word[first:last]


def _is_around(sign: str) -> bool:
    return sign.isspace() or (sign not in "*#" and unicodedata.category(sign)[0] in "PS")


def _keyed(word: str, known: Mapping[str, Meaning]) -> str:
    """BACK and SKIP are keys, wherever they stand, and BYE is BYE."""
    meaning = known.get(folded(_bare(word)))
    as_keys = {"back": "*", "skip": "#", "leave": LEAVE, "help": HELP}
    return as_keys.get(meaning.what, word) if meaning is not None else word
