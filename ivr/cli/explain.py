"""`ivr explain CODE`: the documentation of a rule is its module's docstring."""

from importlib import import_module
from pkgutil import iter_modules

from ivr.flow import rules


def codes() -> list[str]:
    """Every code that a diagnostic can have."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(rules.__path__))


def explanation(code: str) -> str | None:
    """What a code means, why it matters, an example, the cure; None for a code nobody knows."""
    if code not in codes():
        return None
    return (import_module(f"{rules.__name__}.{code.replace('-', '_')}").__doc__ or "").strip()
