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
from infogeo.store.inspection import inspect_store
from infogeo.store.locks import is_held, locked
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


FORKS = """
import multiprocessing, os, sys, time
import infogeo
from tests.store.training import PROBE, predicted
recorder = infogeo.Recorder(sys.argv[1], run="a", probe=PROBE)
recorder.log(0, predicted(0))
recorder.flush()
def work():
    for call in (lambda: recorder.log(1, predicted(1)), recorder.flush):
        try: call()
        except infogeo.InputError as error: print(error, flush=True)
    recorder.close()
    print(os.getpid(), flush=True)
    time.sleep(60)
multiprocessing.get_context("fork").Process(target=work).start()
time.sleep(60)
"""


def test_a_child_that_outlives_the_recorder_does_not_hold_its_run(tmp_path):
    """As workers that load data do after `kill -9`; and a child can neither record nor finish the run."""
    command = [sys.executable, "-W", "ignore", "-c", FORKS, str(tmp_path / "s")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(2)]
        child = int(process.stdout.readline())
        try:
            for line in said:
                assert f"run 'a': is recorded by process {process.pid}, which has this recorder; log there" in line
            assert inspect_store(tmp_path / "s").runs[0].state == "recording"
            with pytest.raises(
                infogeo.InputError, match=rf"is being recorded by another process \({process.pid} on .*wait"
            ):
                infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE)
            process.kill()
            process.wait()
            os.kill(child, 0)  # lives
            assert inspect_store(tmp_path / "s").runs[0].state == "stopped"
            with infogeo.Recorder(tmp_path / "s", run="a", probe=PROBE, resume=True) as recorder:
                recorder.log(1, predicted(1))
        finally:
            os.kill(child, signal.SIGKILL)
    assert check_prefix(tmp_path / "s", "a") == 2


BEGUN_IN_A_CHILD = """
import multiprocessing, sys
import infogeo
from tests.store.training import PROBE, predicted
recorder = infogeo.Recorder(sys.argv[1], run="a", probe=PROBE)
def work():
    with recorder:
        for step in range(3): recorder.log(step, predicted(step))
child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
"""


def test_a_child_may_record_with_a_recorder_that_has_not_begun(tmp_path):
    """As launchers of distributed training do that fork."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", BEGUN_IN_A_CHILD, tmp_path / "s"], check=True)
    assert check_prefix(tmp_path / "s", "a") == 3
    assert inspect_store(tmp_path / "s").runs[0].state == "finished"


LET_GO_IN_A_CHILD = """
import os, pathlib, sys
import infogeo
from infogeo.store.locks import is_held, locked
folder = pathlib.Path(sys.argv[1])
with locked(folder, "a"):
    child = os.fork()
    if child == 0:
        os._exit(0 if is_held(folder) else 1)
    print(os.waitpid(child, 0)[1], is_held(folder))
    try:
        with locked(folder, "b"): pass
    except infogeo.InputError as error: print(error)
print(is_held(folder))
"""


def test_a_lock_that_is_let_go_of_in_a_child_is_still_held(tmp_path):
    """In a process of its own: one that tests have filled with threads, JAX's among them, must not fork."""
    done = subprocess.run([sys.executable, "-c", LET_GO_IN_A_CHILD, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    inside, second, after = done.stdout.splitlines()
    assert inside == "0 True"
    assert second.startswith("b: is in use by another recorder of this process")
    assert after == "False"
