"""What is going on right now: a moving line on a terminal, a plain line now and then elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from rich.status import Status

PLAIN_EVERY_SECONDS = 5.0


class Progress:
    """Shows the running phase; finished things stay as lines above it.

    On a terminal the line moves; in a file or a pipe a phase is written when it lasts, so that a log says
    what a long wait was about without a thousand lines.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._title = ""
        self._began = time.monotonic()
        self._written = time.monotonic()

    def title(self, title: str) -> None:
        """Name what the following phases are part of."""
        self._title = title
        self.say("")

    def say(self, phase: str) -> None:
        """Show a phase; a text that came from elsewhere is shown as it is."""
        text = escape(f"{self._title} · {phase}" if phase and self._title else phase or self._title)
        if self._status is not None:
            self._status.update(text)
        elif time.monotonic() - self._written > PLAIN_EVERY_SECONDS:
            self._written = time.monotonic()
            self._console.print(f"  … {text} ({time.monotonic() - self._began:.0f} s)", soft_wrap=True)

    def done(self, line: str) -> None:
        """Leave a line (markup allowed) about something that is finished."""
        self._written = time.monotonic()
        self._console.print(line, soft_wrap=True)

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the screen tidy, whatever happened."""
        if self._status is not None:
            self._status.stop()
            self._status = None
