"""What lies in the database, in a terminal or a spreadsheet: whoever wrote it there writes nothing else here."""

import re


def plain(text: str) -> str:
    """The text, with whatever would move the cursor, hide a word or begin a line shown as what it is."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


_FORMULA = re.compile(r"'* *[=+\-@＝＋－＠]")


def as_cell(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula and no terminal obeys; `from_cell` reads it."""
    shown = plain(cell)  # tabs and line breaks too
    return f"'{shown}" if _FORMULA.match(shown) else shown


def from_cell(cell: str) -> str:
    """What `as_cell` was given, where that was plain."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
