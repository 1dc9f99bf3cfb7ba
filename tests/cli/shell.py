"""Running the command as a user does."""

import atexit
import os
import subprocess
import sys
import tempfile

RUN = "from infogeo.cli.main import run; run()"
COMMAND = [sys.executable, "-c", RUN]
COMPILED = tempfile.TemporaryDirectory(prefix="infogeo-tests-")
"""Where JAX keeps what it has compiled, for the next process of these tests."""
atexit.register(COMPILED.cleanup)
KEEP_COMPILED = {"JAX_COMPILATION_CACHE_DIR": COMPILED.name, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}


def infogeo(*arguments, first="pass", **options):
    """Run `infogeo ARGUMENTS` in a process of its own, which does `first` before; its output is text."""
    command = [sys.executable, "-c", f"{first}; {RUN}", *map(str, arguments)]
    environment = {**os.environ, **KEEP_COMPILED, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)


def refused(process, message, code=2):
    """One line on standard error that holds the message, no traceback, and the exit code."""
    lines = process.stderr.strip().splitlines()
    assert process.returncode == code, process.stderr
    assert "Traceback" not in process.stderr
    assert lines[-1].startswith("infogeo: "), process.stderr
    assert message in lines[-1], process.stderr
    assert process.stdout == ""
