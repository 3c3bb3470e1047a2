"""Text for somebody's terminal."""

from ivr.kit.plain import plain

__all__ = ["indented", "plain"]


def indented(text: str, by: str) -> str:
    """Several lines, of which only the first stands where it is told: none passes for one of ours."""
    return f"\n{by}".join(map(plain, text.splitlines()))
