"""The recorder among processes: killed, several at once, read while it writes, and where it must not write."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import infogeo
from infogeo.core.durable import is_held, locked
from infogeo.store.inspection import inspect_store
from tests.store.training import PROBE, predicted

COUNT = 60
"""Checkpoints of a run: so many take about half a second."""


def start(store, run, count=COUNT, *options):
    command = [sys.executable, "-m", "tests.store.training", str(store), run, str(count), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check_prefix(store, run, least=0):
    """What is there of a run are its first checkpoints, as they were predicted; how many there are."""
    back = infogeo.load(store)
    rows = back.points.of_run(run)
    assert back.points["step"][rows].tolist() == list(range(len(rows)))
    assert np.array_equal(back.log_probs[:][rows], [predicted(step) for step in range(len(rows))])
    assert len(rows) >= least
    return len(rows)


def killed(store, chance):
    """Let a run begin or go on, and kill it somewhere; how many checkpoints it has told to be committed."""
    process, told, enough = start(store, "a", COUNT, "resume"), 0, chance.randrange(1, COUNT // 2)
    with process:
        for line in process.stdout:
            told = int(line) + 1
            enough -= 1
            if enough == 0:
                break
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
    return told


def kill_and_go_on(store, seed):
    """Kill a run twice; then let it go on to its end."""
    chance = random.Random(seed)
    for _ in range(2):
        told = killed(store, chance)
        check_prefix(store, "a", least=told)
    with start(store, "a", COUNT, "resume") as process:
        _, said = process.communicate()
    assert process.returncode == 0 or "is finished" in said  # it may have come to its end before the kill
    assert check_prefix(store, "a") == COUNT
    assert inspect_store(store).runs[0].state == "finished"


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_leaves_every_committed_checkpoint_and_no_half_one(tmp_path, seed):
    kill_and_go_on(tmp_path / "s", seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 200))
def test_two_hundred_kills_leave_every_committed_checkpoint(tmp_path, seed):
    kill_and_go_on(tmp_path / "s", seed)


def test_eight_processes_write_eight_runs_into_one_store_at_once(tmp_path):
    runs = [f"run {i}" for i in range(8)]
    for process in [start(tmp_path / "s", run, 20) for run in runs]:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert infogeo.load(tmp_path / "s").points.runs == runs
    for run in runs:
        assert check_prefix(tmp_path / "s", run) == 20


def test_a_store_is_read_while_it_is_written(tmp_path):
    seen = []
    with start(tmp_path / "s", "a", 3 * COUNT) as process:
        process.stdout.readline()
        while process.poll() is None:
            seen.append(check_prefix(tmp_path / "s", "a", least=1))
    assert process.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    assert check_prefix(tmp_path / "s", "a") == 3 * COUNT


def test_of_two_processes_that_write_one_run_the_second_is_refused(tmp_path):
    with start(tmp_path / "s", "a", 10 * COUNT) as first:
        first.stdout.readline()
        with start(tmp_path / "s", "a", 11 * COUNT, "resume") as second:
            _, said = second.communicate()
        first.communicate()
    assert second.returncode != 0
    assert "is in use by another process" in said
    assert first.returncode == 0
    assert check_prefix(tmp_path / "s", "a") == 10 * COUNT


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="needs root, to become somebody who may not write")
def test_a_store_that_may_not_be_written_is_told_in_a_line(tmp_path_factory):
    store = tmp_path_factory.mktemp("readonly") / "s"
    with infogeo.Recorder(store, run="a", probe=PROBE) as recorder:
        recorder.log(0, predicted(0))
    for folder in store.parents:
        folder.chmod(0o755)
        if folder.name.startswith("pytest-of"):
            break
    code = (
        "import infogeo, sys, os; from tests.store.training import PROBE, predicted\n"
        "infogeo.load(sys.argv[1]); given = predicted(0)\n"  # everything is imported while it may be read
        "with infogeo.Recorder(sys.argv[1], run='c', probe=PROBE) as recorder: recorder.log(0, given)\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "for path, run in ((sys.argv[1], 'b'), (sys.argv[1] + '-new', 'a')):\n"
        "    try: infogeo.Recorder(path, run=run, probe=PROBE).log(0, given)\n"
        "    except infogeo.InputError as error: print(error)\n"
        "print(infogeo.load(sys.argv[1]).n_points)"
    )
    done = subprocess.run([sys.executable, "-c", code, store], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert "run 'b': cannot be written (Permission denied); choose another place" in first
    assert "s-new: cannot be written (Permission denied); choose another place" in second
    assert third == "2"


def test_asking_whether_a_run_is_held_never_keeps_a_recorder_out(tmp_path):
    (tmp_path / "run").mkdir()
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            is_held(tmp_path / "run")
            time.sleep(0.001)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        taken = 0
        for _ in range(300):
            with locked(tmp_path / "run", "run"):
                taken += 1
        assert taken == 300
    finally:
        stop.set()
        asking.join()
