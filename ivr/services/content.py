"""The files of a flow, from the disk: what the compiler is handed, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.flow.compiler import TALKS, compile_flow
from ivr.flow.diagnostics import Diagnostic, in_order
from ivr.flow.graph import Flow
from ivr.flow.source import MAX_BYTES
from ivr.flow.talk import Talk, misnamed, read_talks

READ = (".yaml", ".yml")


class NoContent(Exception):
    """Flows or prompts cannot be read at all. The message says which, and the cure."""


@dataclass(frozen=True, slots=True)
class Content:
    """`flow` and `staff` are None when anything is wrong; `files` are the bytes by path, for showing an author her own
    line."""

    files: dict[str, bytes]
    flow: Flow | None
    staff: Flow | None
    talks: tuple[Talk, ...]
    diagnostics: tuple[Diagnostic, ...]


def load(flows: Path, prompts: Path, voices: Mapping[str, str] | None = None) -> Content:
    """Read and compile the two folders. Raises NoContent; whatever else is wrong becomes a diagnostic. `voices`: see
    compile_flow."""
    missing = [
        f"{folder} is not a folder. Say where yours is with {setting}."
        for folder, setting in ((flows, "IVR_FLOWS_DIR"), (prompts, "IVR_PROMPTS_DIR"))
        if not folder.is_dir()
    ]
    if missing:
        raise NoContent("\n".join(missing))
    files: dict[str, bytes] = {}
    recordings: dict[str, float] = {}
    for root, name in ((flows, "flows"), (prompts, "prompts")):
        for path in sorted(root.rglob("*")):
            key = f"{name}/{path.relative_to(root).as_posix()}"
            if path.is_dir():
                continue
            if path.suffix in READ:
                files[key] = _bytes(path)
            elif path.suffix == ".mp3":
                files[key] = b""
                recordings[key] = seconds_of(path)
    compiled = compile_flow(files, recordings, voices)
    talks, found = read_talks(TALKS, files[TALKS]) if TALKS in files else ((), ())
    if compiled.flow is not None:
        found = (*found, *misnamed(talks, compiled.flow))
    diagnostics = in_order((*compiled.diagnostics, *found))
    return Content(files, compiled.flow, compiled.staff, talks, diagnostics)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NoContent(f"{path} cannot be read ({error.strerror}). Let the user of the line read it.") from error


def seconds_of(path: Path) -> float:
    """The measured length of a recording; nothing where it cannot be read as one."""
    import soundfile  # a tenth of a second and numpy, for those who have recordings

    try:
        return float(soundfile.info(str(path)).duration)
    except soundfile.LibsndfileError:
        return 0.0
