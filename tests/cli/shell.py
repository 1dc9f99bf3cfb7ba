"""Running the command as a user does."""

import os
import subprocess
import sys

RUN = "from infogeo.cli.main import run; run()"
COMMAND = [sys.executable, "-c", RUN]


def infogeo(*arguments, first="pass", **options):
    """Run `infogeo ARGUMENTS` in a process of its own, which does `first` before; its output is text."""
    command = [sys.executable, "-c", f"{first}; {RUN}", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)


def refused(process, message, code=2):
    """One line on standard error that holds the message, no traceback, and the exit code."""
    lines = process.stderr.strip().splitlines()
    assert process.returncode == code, process.stderr
    assert "Traceback" not in process.stderr
    assert lines[-1].startswith("infogeo: "), process.stderr
    assert message in lines[-1], process.stderr
    assert process.stdout == ""
