"""A keyboard beside a call that goes on while nobody types: lines come when they come, and so do words to show."""

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import typer

PROMPT = "> "


@dataclass(slots=True)
class LiveKeyboard:
    """A person. What the call shows while she thinks comes above the line on which she types."""

    descriptor: int = 0
    """Of what she types on."""
    _lines: "asyncio.Queue[str | None]" = field(default_factory=asyncio.Queue)
    _is_read: bool = False
    _is_asked: bool = False

    async def line(self) -> str | None:
        """The next one; None when there are no more."""
        if not self._is_read:
            self._is_read = True
            # Not a worker of the event loop: the command must be able to end while a read waits.
            threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), daemon=True).start()
        self._is_asked = True
        self._prompt()
        try:
            return await self._lines.get()
        finally:
            self._is_asked = False

    def show(self, text: str) -> None:
        """A line of the call."""
        is_over_prompt = self._is_asked and _is_terminal()
        typer.echo(f"\r{text}" if is_over_prompt else text)
        self._prompt()

    def _prompt(self) -> None:
        if self._is_asked and _is_terminal():
            typer.echo(PROMPT, nl=False)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for line in _lines_of(self.descriptor):
                loop.call_soon_threadsafe(self._lines.put_nowait, line)
            loop.call_soon_threadsafe(self._lines.put_nowait, None)
        except RuntimeError:
            return  # the call is over, and so is its event loop


def _lines_of(descriptor: int) -> Iterator[str]:
    """Past Python's own buffer: its lock would be held by a read that waits when the command ends."""
    decoder, typed = codecs.getincrementaldecoder("utf-8")("replace"), ""
    while piece := os.read(descriptor, 4096):
        *lines, typed = (typed + decoder.decode(piece)).split("\n")
        yield from lines
    if typed:
        yield typed


def _is_terminal() -> bool:
    return sys.stdout.isatty()
