"""A language of the flow has no prompts file.

Why: A caller who chooses it would hear nothing.

Example:

    languages: [en, es, zh]      # and there is no prompts/zh.yaml

Cure: Write prompts/LANGUAGE.yaml, or take the language out.
"""

from collections.abc import Iterable

from ivr.flow.diagnostics import Diagnostic, Place


def found(language: str, place: Place, *, unread: Iterable[str]) -> Diagnostic:
    """`unread`: languages that have prompts and are not in the flow."""
    others = list(unread)
    cure = f"Write prompts/{language}.yaml, or take `{language}` out of `languages`."
    if len(others) == 1:
        cure = f"Did you mean `{others[0]}`? There is prompts/{others[0]}.yaml."
    return Diagnostic(place, "language-without-prompts", f"There are no prompts for `{language}`.", cure)
