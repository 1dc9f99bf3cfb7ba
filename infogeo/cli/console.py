"""How the commands speak: messages and progress on standard error, one clear line for what went wrong."""

from __future__ import annotations

import functools
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer, current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import typer

from infogeo.core.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

Command = TypeVar("Command", bound=Callable[..., Any])
Progress = Callable[[int, int], None]

PATIENCE = 2.0
"""Seconds that work takes before its progress bar appears."""


class Messages:
    """What a command tells while it works; `quiet` leaves only errors and results."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet

    @functools.cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(stderr=True, quiet=self.quiet, highlight=False)

    def say(self, text: str) -> None:
        """One line, unless quiet."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """A function (done, total) that draws a bar with the time left, once the work has taken two seconds."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (TextColumn(label), BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"))
        times = (TimeElapsedColumn(), TextColumn("elapsed,"), TimeRemainingColumn(), TextColumn("left"))
        bar = Progress(*columns, *times, console=self._console, transient=True, disable=not self._console.is_terminal)
        task = bar.add_task(label, total=1)
        patience = Timer(PATIENCE, bar.start)
        patience.daemon = True
        patience.start()
        try:

            def advance(done: int, total: int) -> None:
                _INTERRUPT.check()
                bar.update(task, completed=done, total=total)

            yield advance
        finally:
            patience.cancel()
            bar.stop()


class _Interrupt:
    """Ctrl-C, remembered: raised inside a callback of a library it can be swallowed; then the next step ends.

    SIGTERM is answered alike, so that the same things are cleaned up.
    """

    def __init__(self) -> None:
        self.seen = 0

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, 143 after SIGTERM, as shells count."""
        return 128 + (self.seen or signal.SIGINT)

    def listen(self) -> None:
        """Take over both signals, unless this is no main thread or the shell has them ignored."""
        self.seen = 0
        if current_thread() is not main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)
        sys.unraisablehook = self._unraisable

    def check(self) -> None:
        """Raise the interrupt that was swallowed."""
        if self.seen:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again = self.seen == number == signal.SIGTERM  # `timeout` sends it twice; the first is being answered
        self.seen = number
        if not again:
            raise KeyboardInterrupt

    @staticmethod
    def _unraisable(problem: Any) -> None:
        if not isinstance(problem.exc_value, KeyboardInterrupt):
            sys.__unraisablehook__(problem)


_INTERRUPT = _Interrupt()


def answers_for_errors(command: Command) -> Command:
    """A command that ends in one line and an exit code, never in a traceback: bad input, a failing disk, a signal."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        _INTERRUPT.listen()
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt as stop:
            _stop(str(stop) or "interrupted; nothing was written", _INTERRUPT.exit_code)
        except (InputError, ImportError, ArithmeticError) as error:
            _stop(str(error), 2)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            _stop(f"{place}{error.strerror or error}; nothing was written", 2)
        except MemoryError as error:
            _stop(f"out of memory ({error}); nothing was written; try --memory", 2)

    return cast(Command, guarded)


_USAGE = (
    (r"Invalid value for '([^\s'.]+)[^']*': (?:Value error, )?", r"\1: "),
    (r"Input should be a valid integer.*", "give a whole number"),
    (r"Input should be a valid number.*", "give a number"),
    (r"Input should be greater than or equal to (\S+)", r"give \1 or more"),
    (r"Missing \w+ '([^\s'.]+)[^']*'", r"\1: is missing"),
    (r"No such option: ([^\s.]+)", r"\1: there is no such option"),
    (r"\(Possible options: (.*)\)", r"(did you mean \1?)"),
    (r"No such command '(.*?)'", r"\1: there is no such command"),
    (r"Option '(\S+)' requires an argument", r"\1: needs a value"),
    (r"Option '(\S+)' does not take a value", r"\1: takes no value"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"\1: is more than this command takes"),
    (r"\.? Did you mean (.*)\?", r" (did you mean \1?)"),
)
"""How Click and Typer say what is wrong with a command line, and how we do."""


def usage_line(message: str, command: str) -> str:
    """One line about what is wrong with a command line, from what Click says of it, and where to read more."""
    for theirs, ours in _USAGE:
        message = re.sub(theirs, ours, message)
    return one_line(f"{message.strip().rstrip('.')}; see {command} --help")


def one_line(message: str) -> str:
    """A message as it stands on standard error."""
    return f"infogeo: {' '.join(message.split())}"


def as_bytes(size: str | None) -> int | None:
    """The number of bytes of a size such as 4GB, 500MB or 1.5G.

    Raises:
        InputError: it is no size.
    """
    if size is None:
        return None
    text = size.strip().upper().removesuffix("B").removesuffix("I")
    unit = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}.get(text[-1:], 1)
    try:
        amount = float(text.rstrip("KMGT"))
    except ValueError:
        raise InputError(f"--memory: '{size}' is no size; write for example 4GB or 500MB") from None
    if not 0 < amount < float("inf"):
        raise InputError(f"--memory: '{size}' must be above zero")
    return int(amount * unit)


def readable(size: float) -> str:
    """A number of bytes with its unit."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"


def was_given(context: typer.Context, parameter: str) -> bool:
    """Whether a parameter of a command was given, be it what it is by default."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def existing(paths: list[Path]) -> list[Path]:
    """The paths, all of which exist.

    Raises:
        InputError: the first that does not.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: does not exist")
    return paths


def _stop(message: str, code: int) -> NoReturn:
    print(one_line(message), file=sys.stderr)
    raise typer.Exit(code)
