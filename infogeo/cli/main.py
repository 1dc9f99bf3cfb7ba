"""The command `infogeo`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from infogeo import __version__
from infogeo.cli.compare import compare
from infogeo.cli.console import usage_line
from infogeo.cli.convert import convert
from infogeo.cli.demo import demo
from infogeo.cli.dimension import dimension
from infogeo.cli.embed import embed
from infogeo.cli.info import info
from infogeo.cli.project import project

_UsageError: Any = typer.BadParameter.__mro__[1]
"""What Typer raises for a wrong command line; of Click, or of a part of it that Typer brings."""

app = typer.Typer(
    name="infogeo",
    help="Maps of training, from what networks predict at every checkpoint.\n\n"
    "Start with `infogeo demo`. For your own runs, save predictions on one fixed probe set at every checkpoint as "
    "arrays [checkpoint, sample, class], then `infogeo embed FOLDER --labels labels.npy`.",
    epilog="Each command explains itself: infogeo embed --help",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, info, embed, project, compare, dimension, convert):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"infogeo {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    del version


def run() -> None:
    """The entry point of the shell command; what is wrong with a command line is one line, and exit code 2."""
    try:
        code = app(prog_name="infogeo", standalone_mode=False)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            command = error.ctx.command_path if error.ctx else "infogeo"
            print(usage_line(error.format_message(), command), file=sys.stderr)
        code = error.exit_code
    except typer.Abort:
        code = 130
    sys.exit(code)
