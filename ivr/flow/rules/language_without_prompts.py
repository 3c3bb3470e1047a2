"""A language of the flow has no prompts file.

Why: A caller who chooses it would hear nothing.

Example:

    languages: [en, es, zh]      # and there is no prompts/zh.yaml

Cure: Write prompts/LANGUAGE.yaml, or take the language out.
"""

from ivr.flow.diagnostics import Diagnostic, Place


def found(language: str, place: Place) -> Diagnostic:
    cure = f"Write prompts/{language}.yaml, or take `{language}` out of `languages`."
    return Diagnostic(place, "language-without-prompts", f"There are no prompts for `{language}`.", cure)
