"""What lies in the database, in a terminal or a spreadsheet: whoever wrote it there writes nothing else here."""


def plain(text: str) -> str:
    """The text, with whatever would move the cursor, hide a word or begin a line shown as what it is."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)
