"""A killed command leaves the old map or the new one, never half of one."""

import random
import signal
import subprocess
import time

import numpy as np
import pytest

from infogeo.cli.mapdir import read_map
from tests.cli.shell import COMMAND
from tests.cli.shell import infogeo as shell
from tests.samples import trajectories


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A map of three axes, what it was made from, and how long that took."""
    root = tmp_path_factory.mktemp("kill")
    np.save(root / "a.npy", np.exp(trajectories(runs=1).log_probs))
    start = time.monotonic()
    process = shell("embed", root / "a.npy", "--null", "none", "--components", 3, "--out", root / "map")
    assert process.returncode == 0, process.stderr
    return root, time.monotonic() - start


def kill_while_replacing(root, delay):
    """Start to replace the map by one of two axes and kill that after `delay` seconds."""
    options = ["--null", "none", "--components", "2", "--overwrite"]
    arguments = ["embed", str(root / "a.npy"), *options, "--out", str(root / "map")]
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()


def check(root, seed, share):
    """Kill somewhere in the second half of the time that the command takes, where it writes."""
    kill_while_replacing(root, share * random.Random(seed).uniform(0.5, 1.1))
    embedding, references, _ = read_map(root / "map")
    assert embedding.n_components in (2, 3)
    assert embedding.coords.shape == (6, embedding.n_components)
    assert references is not None
    assert (root / "map" / "report.html").read_text().rstrip().endswith("</html>")


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_embed_leaves_a_whole_map(first, seed):
    check(first[0], seed, first[1])


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 150))
def test_fifty_kills_leave_a_whole_map(first, seed):
    check(first[0], seed, first[1])
