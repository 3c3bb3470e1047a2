"""The elements of Plivo's XML, from its SDK. Only these: `import plivo` also loads a REST client that is never used for
calls, which costs every worker 13 MB and a quarter of a second."""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plivo import plivoxml
else:

    def _elements() -> ModuleType:
        """`plivo.xml` and what it needs, past `plivo/__init__.py`; who imports plivo afterwards gets it whole."""
        if "plivo" in sys.modules:
            return import_module("plivo.xml")
        package = ModuleType("plivo")
        package.__path__ = find_spec("plivo").submodule_search_locations
        sys.modules["plivo"] = package
        try:
            return import_module("plivo.xml")
        finally:
            del sys.modules["plivo"]

    plivoxml = _elements()

__all__ = ["plivoxml"]
