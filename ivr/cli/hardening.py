"""What this process gives up at its start, so that its memory never lies in a file: a core dump holds keys, numbers
and words of texts."""

import ctypes
import sys

_PR_SET_DUMPABLE = 4
"""prctl(2). RLIMIT_CORE alone does not keep a dump from a program that the kernel pipes it to: core(5)."""


def refuse_core_dumps() -> None:
    """No core dump of this process or of its children; on Linux nobody but root reads its memory either."""
    if sys.platform == "win32":
        return
    import resource  # POSIX has it

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
