"""Running the command as a user does."""

import os
import subprocess
import sys

COMMAND = [sys.executable, "-c", "from infogeo.cli.main import run; run()"]


def infogeo(*arguments, **options):
    """Run `infogeo ARGUMENTS` in a process of its own; gives the finished process with its output as text."""
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False, **options
    )


def refused(process, message, code=2):
    """One line on standard error that holds the message, no traceback, and the exit code."""
    lines = process.stderr.strip().splitlines()
    assert process.returncode == code, process.stderr
    assert "Traceback" not in process.stderr
    assert lines[-1].startswith("infogeo: "), process.stderr
    assert message in lines[-1], process.stderr
    assert process.stdout == ""
