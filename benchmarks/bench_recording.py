"""What does recording cost a training, how fast does it write, and what error does float16 leave?

Cost: a network is trained on handwritten digits with PyTorch, twice per round and in turn: once its predictions on the
probe are kept in a list, once they are recorded. The forward passes on the probe are the same in both. Besides the time
on the clock the seconds of all cores are counted; and those that recording takes by itself: as a share of the training
they are the most that it costs where every core is busy. The training has one thread: with two on two cores its own
time varies by more than what is measured.
Throughput: predictions of many classes are recorded one checkpoint after the other, in turn with np.save of the same.
Language models: next-token distributions over 50,000 classes, all of them and 100 kept.
Half precision: divergences between the checkpoints of that training, from float16 and from float32 log-probabilities.

    python benchmarks/bench_recording.py [--save]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch
from environment import environment, save
from sklearn.datasets import load_digits

import infogeo

STEPS, BATCH, WIDTH = 3000, 100, 512
ROUNDS = 11
TOKENS = (8, 500, 50_000)
KEPT = 100
SHAPES = ((64, 1000, 1000), (16, 4000, 1000), (400, 1000, 10))


def train(log: Callable[[int, np.ndarray], object], due: Callable[[int], bool]) -> float:
    """Seconds that the training takes; what the network predicts on the probe goes to `log` at steps that are due."""
    torch.manual_seed(0)
    x, y = load_digits(return_X_y=True)
    x, y = torch.as_tensor(x, dtype=torch.float32) / 16, torch.as_tensor(y)
    probe, x, y = x[1000:], x[:1000], y[:1000]
    model = torch.nn.Sequential(
        torch.nn.Linear(64, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU(),
        torch.nn.Linear(WIDTH, 10),
    )  # fmt: skip
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    start = perf_counter()
    for step in range(STEPS + 1):
        if due(step):
            with torch.no_grad():
                log(step, model(probe).log_softmax(dim=1).numpy())
        rows = torch.randint(0, len(x), (BATCH,))
        loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return perf_counter() - start


def recorded_training(folder: Path, schedule: infogeo.Schedule, options: infogeo.RecordingOptions) -> None:
    """A training that is recorded, from the first step until all is on the disk."""
    with infogeo.Recorder(folder, run="a", schedule=schedule, overwrite=True, options=options) as recorder:
        train(recorder.log, schedule)


def plain_training(schedule: infogeo.Schedule) -> None:
    """The same, which keeps what it predicts in memory."""
    kept: list[np.ndarray] = []
    train(lambda step, values: kept.append(values), schedule)


def only_recorded(folder: Path, kept: list[tuple[int, np.ndarray]]) -> None:
    """Recording alone: of logits of the same shape."""
    with infogeo.Recorder(folder, run="a", overwrite=True) as recorder:
        for step, values in kept:
            recorder.log(step, values.astype(np.float32))


def clocked(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of all cores."""
    start, used = perf_counter(), process_time()
    action()
    return perf_counter() - start, process_time() - used


def cost(folder: Path, schedule: infogeo.Schedule) -> dict[str, float]:
    """What a recorded training takes beside one that keeps the same predictions in memory; the order changes."""
    rounds = np.empty((ROUNDS, 2, 2))  # [round, plain or recorded, clock or cores]
    actions = (
        lambda: plain_training(schedule),
        lambda: recorded_training(folder, schedule, infogeo.RecordingOptions()),
    )
    for number in range(ROUNDS):
        for which in (0, 1) if number % 2 else (1, 0):
            rounds[number, which] = clocked(actions[which])
    kept = [(step, np.random.default_rng(step).normal(size=(797, 10))) for step in range(STEPS + 1) if schedule(step)]
    alone = np.median([clocked(lambda: only_recorded(folder, kept))[1] for _ in range(ROUNDS)])
    training = float(np.median(rounds[:, 0, 0]))
    clock, cores = np.sort(rounds[:, 1] / rounds[:, 0], axis=0).T
    low, high = ROUNDS // 2 - 3, ROUNDS // 2 + 3  # of 11, the third and ninth: 93 % about the median (binomial)
    return {
        "checkpoints": float(sum(schedule(step) for step in range(STEPS + 1))),
        "seconds of training": training,
        "recording by itself, seconds of all cores": float(alone),
        "that as a share of the training": float(alone) / training,
        "ratio by the clock, median": float(np.median(clock)),
        "ratio by the clock, low": float(clock[low]),
        "ratio by the clock, high": float(clock[high]),
        "ratio of seconds of all cores, median": float(np.median(cores)),
        "ratio of seconds of all cores, low": float(cores[low]),
        "ratio of seconds of all cores, high": float(cores[high]),
    }


def language_model(folder: Path) -> dict[str, float]:
    """Seconds and bytes per checkpoint of next-token distributions, whole and merged."""
    t, n, c = TOKENS
    logits = 3 * np.random.default_rng(0).normal(size=(n, c)).astype(np.float32)
    start = perf_counter()
    keep = infogeo.leading_classes(logits, KEPT)
    figures = {f"choosing {KEPT} classes (s)": perf_counter() - start}
    for name, options in (
        ("all classes", infogeo.RecordingOptions()),
        (f"{KEPT} and the rest", infogeo.RecordingOptions(keep=keep)),
    ):
        place = folder / name
        start = perf_counter()
        with infogeo.Recorder(place, run="a", options=options) as recorder:
            for step in range(t):
                recorder.log(step, logits)
        figures[f"{name}: seconds per checkpoint"] = (perf_counter() - start) / t
        figures[f"{name}: MB per checkpoint"] = infogeo.recorded_bytes(t, n, c, options) / 1e6 / t
        shutil.rmtree(place)
    return figures


def throughput(folder: Path, shape: tuple[int, int, int], sync: bool) -> dict[str, float]:
    """MB/s of predictions that go to the disk, by a recorder and by np.save, one file per checkpoint."""
    t, n, c = shape
    logits = np.random.default_rng(0).normal(size=(n, c)).astype(np.float32)
    values = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    rates = []
    for number in range(5):
        start = perf_counter()
        plain = folder / f"plain-{number}"
        plain.mkdir()
        for step in range(t):
            np.save(plain / f"{step}.npy", values)
        middle = perf_counter()
        options = infogeo.RecordingOptions(sync=sync)
        with infogeo.Recorder(folder / f"store-{number}", run="a", options=options) as recorder:
            for step in range(t):
                recorder.log(step, values)
        rates.append((4e-6 * t * n * c / (middle - start), 4e-6 * t * n * c / (perf_counter() - middle)))
        for left in (plain, folder / f"store-{number}"):
            shutil.rmtree(left)
    plain_rate, rate = np.median(rates, axis=0)
    return {
        "MB/s": float(rate),
        "MB/s of np.save": float(plain_rate),
        "ratio": float(np.median([b / a for a, b in rates])),
    }


def half_precision(folder: Path) -> dict[str, float]:
    """Errors of divergences between checkpoints that are kept in float16."""
    for name, half in (("half", True), ("full", False)):
        recorded_training(folder / name, infogeo.LogSpaced(20), infogeo.RecordingOptions(half=half))
    figures = {}
    for divergence in (infogeo.Bhattacharyya(), infogeo.SymmetricKL()):
        half, full = (
            infogeo.pairwise_divergence(infogeo.load(folder / name), divergence).to_numpy() for name in ("half", "full")
        )
        off, pairs = np.abs(half - full), np.triu_indices(len(full), 1)
        name = divergence.name
        figures[f"{name}: largest error (nats)"] = float(off.max())
        figures[f"{name}: median error, relative"] = float(np.median(off[pairs] / full[pairs]))
        figures[f"{name}: largest divergence"] = float(full.max())
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="write results/recording.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(environment())
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        recorded_training(place / "warm", infogeo.LogSpaced(), infogeo.RecordingOptions())
        for schedule in (infogeo.LogSpaced(10), infogeo.EverySteps(30)):
            figures[f"training of {STEPS} steps, {schedule}"] = cost(place / "cost", schedule)
        for shape in SHAPES:
            for sync in (True, False):
                name = f"T x N x C = {'x'.join(map(str, shape))}{'' if sync else ', sync=False'}"
                figures[name] = throughput(place, shape, sync)
        name = f"language model, {TOKENS[0]} checkpoints of {TOKENS[1]} tokens and {TOKENS[2]} classes"
        figures[name] = language_model(place)
        figures["half precision"] = half_precision(place)
    for name, found in figures.items():
        print(f"\n{name}\n" + "\n".join(f"  {key}: {value:.4g}" for key, value in found.items()))
    if arguments.save:
        save("recording", figures)


if __name__ == "__main__":
    main()
