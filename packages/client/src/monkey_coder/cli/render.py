"""Rich output for a terminal. The only module that knows rich; imported only when a terminal is there."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.spinner import Spinner
from rich.syntax import Syntax
from rich.text import Text

from monkey_coder.cli.output import harmless

_SECONDS_BETWEEN_FRAMES = 0.12


class LiveAnswer:
    """An answer that grows on a terminal: a spinner until text comes, then rendered Markdown.

    While it grows only its end is drawn; when it is done (or stopped) the whole text is printed once.
    """

    def __init__(self, *, colours: bool) -> None:
        self._console = console(sys.stdout, colours=colours)
        self._text = ""
        self._step = "Waiting for the model"
        self._live = Live(console=self._console, transient=True, auto_refresh=False, vertical_overflow="crop")
        self._spinner = Spinner("dots")
        self._drawn = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.update("", refresh=True)
        self._live.stop()
        if self._text.strip():
            self._console.print(Markdown(harmless(self._text)))

    def step(self, words: str) -> None:
        """What the gateway is doing."""
        self._step = words
        self._draw()

    def add(self, piece: str) -> None:
        """More text; drawn a few times a second."""
        self._text += piece
        if time.monotonic() - self._drawn >= _SECONDS_BETWEEN_FRAMES:
            self._draw()

    def note(self, words: str) -> None:
        """A line above the moving part."""
        self._console.print(Text(harmless(words), style="dim"))

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        self._live.update(self._frame(), refresh=True)

    def _frame(self) -> RenderableType:
        self._spinner.update(text=Text(self._step, style="dim"))
        if not self._text:
            return self._spinner
        room = max(4, self._console.size.height - 3)
        tail = "\n".join(harmless(self._text).splitlines()[-room:])
        return Group(Text(tail, overflow="fold"), self._spinner)


class Waiting:
    """A spinner on stderr while nothing else can be shown."""

    def __init__(self, *, colours: bool) -> None:
        self._status = console(sys.stderr, colours=colours).status("Waiting for the model")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def step(self, words: str) -> None:
        """What the gateway is doing."""
        self._status.update(words)

    def stop(self) -> None:
        """Make room for text."""
        self._status.stop()


def console(stream: object, *, colours: bool) -> Console:
    """A console without any style where colours are not wanted."""
    if colours:
        return Console(file=stream)  # type: ignore[arg-type]  # rich wants IO[str], which sys.stdout is
    return Console(file=stream, color_system=None, no_color=True, highlight=False)  # type: ignore[arg-type]  # as above


def styled(paper: Console, lines: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Lines of pieces, each in its style."""
    for line in lines:
        paper.print(Text.assemble(*[(harmless(text), style) for text, style in line]))


def markdown(text: str, *, colours: bool) -> None:
    """A whole answer on a terminal."""
    console(sys.stdout, colours=colours).print(Markdown(harmless(text)))


def difference(text: str, *, colours: bool) -> None:
    """A unified diff on stderr, where the question about it is asked."""
    console(sys.stderr, colours=colours).print(Syntax(harmless(text), "diff", background_color="default"))
