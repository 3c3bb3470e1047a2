"""What lies in the database, on somebody's terminal: whoever wrote it there must not write anything else here."""


def plain(text: str) -> str:
    """The text, with whatever would move the cursor, hide a word or begin a line shown as what it is."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def indented(text: str, by: str) -> str:
    """Several lines, of which only the first stands where it is told: none passes for one of ours."""
    return f"\n{by}".join(map(plain, text.splitlines()))
