"""Starting is light: help and import load nothing heavy."""

import subprocess
import sys

import numpy as np
import pytest

import infogeo
from tests.cli.shell import infogeo as shell

HEAVY = ("jax", "jaxlib", "torch", "zarr", "plotly", "sklearn", "pandas", "scipy", "numpy")


@pytest.mark.parametrize("code", ["import infogeo", "import infogeo; dir(infogeo)", "import infogeo.cli.main"])
def test_importing_loads_nothing_heavy(code):
    loaded = f"{code}; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_store_loads_without_jax():
    code = "import infogeo; infogeo.load; infogeo.write_store; import sys; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_map_loads_nothing_that_it_does_not_need(tmp_path):
    """SciPy's statistics and clustering take longer to import than a small map to make."""
    np.save(tmp_path / "a.npy", np.random.default_rng(0).dirichlet(np.ones(3), size=(4, 40)))
    watch = "import atexit, sys; atexit.register(lambda: print([m for m in sys.modules if m in UNUSED]))"
    unused = f"UNUSED = {('scipy.stats', 'scipy.cluster', 'scipy.spatial', 'sklearn', 'pandas')}"
    done = shell("embed", tmp_path / "a.npy", "--out", tmp_path / "map", "-q", first=f"{unused}; {watch}")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_public_name_exists_and_is_documented():
    for name in infogeo.__all__:
        assert getattr(infogeo, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        infogeo.nothing  # noqa: B018


def test_help_names_every_command_and_every_command_explains_itself():
    overview = shell("--help")
    assert overview.returncode == 0
    for command in ("demo", "info", "embed", "project", "compare", "dimension", "convert"):
        assert f"  {command}" in overview.stdout
        page = shell(command, "--help")
        assert page.returncode == 0
        assert "Example: infogeo" in page.stdout.replace("\n  ", " ")


def test_version_is_printed():
    assert shell("--version").stdout.strip() == f"infogeo {infogeo.__version__}"


def test_an_unknown_option_is_a_short_message():
    process = shell("embed", "--nonsense")
    assert process.returncode == 2
    assert "Traceback" not in process.stderr
    assert "--nonsense" in process.stderr


def test_an_interrupt_that_a_library_swallows_ends_the_next_step():
    code = """
import os, signal
from infogeo.cli.console import Messages, answers_for_errors

class Callback:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)  # raised in here, where Python ignores exceptions
        sum(range(1000))

@answers_for_errors
def command():
    with Messages(quiet=True).progress("work") as advance:
        made = Callback()
        del made
        print("went on", flush=True)
        advance(1, 2)
    print("never here")

try:
    command()
except BaseException as stop:
    print(getattr(stop, "exit_code", stop))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["went on", "130"]
    assert done.stderr.strip() == "infogeo: interrupted; nothing was written"
