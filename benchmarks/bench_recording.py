"""What does recording cost a training, how fast does it write, and what error does float16 leave?

Cost: a network is trained on handwritten digits with PyTorch, twice per round and in turn: once its predictions on the
probe are kept in a list, once they are recorded. The forward passes on the probe are the same in both.
Throughput: predictions of many classes are recorded one checkpoint after the other, in turn with np.save of the same.
Half precision: divergences between the checkpoints of that training, from float16 and from float32 log-probabilities.

    python benchmarks/bench_recording.py [--save]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from environment import environment, save
from sklearn.datasets import load_digits

import infogeo

STEPS, BATCH, WIDTH = 3000, 100, 512
ROUNDS = 7
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


def recorded_training(folder: Path, schedule: infogeo.Schedule, options: infogeo.RecordingOptions) -> float:
    """Seconds that the training takes when it is recorded, from the first step until all is on the disk."""
    start = perf_counter()
    with infogeo.Recorder(folder, run="a", schedule=schedule, overwrite=True, options=options) as recorder:
        train(recorder.log, schedule)
    return perf_counter() - start


def cost(folder: Path, schedule: infogeo.Schedule) -> dict[str, float]:
    """What a recorded training takes beside one that keeps the same predictions in memory."""
    pairs = []
    for _ in range(ROUNDS):
        kept: list[np.ndarray] = []
        start = perf_counter()
        train(lambda step, values, kept=kept: kept.append(values), schedule)
        alone = perf_counter() - start
        pairs.append((alone, recorded_training(folder, schedule, infogeo.RecordingOptions())))
    alone, recorded = np.median(pairs, axis=0)
    ratios = np.sort([b / a for a, b in pairs])
    return {
        "checkpoints": float(sum(schedule(step) for step in range(STEPS + 1))),
        "seconds of training": float(alone),
        "seconds when recorded": float(recorded),
        "median ratio of rounds": float(np.median(ratios)),
        "second smallest ratio": float(ratios[1]),
        "second largest ratio": float(ratios[-2]),
    }


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
    torch.set_num_threads(2)
    print(environment())
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        recorded_training(place / "warm", infogeo.LogSpaced(), infogeo.RecordingOptions())
        for schedule in (infogeo.LogSpaced(10), infogeo.EverySteps(30), infogeo.EverySteps(10)):
            figures[f"training of {STEPS} steps, {schedule}"] = cost(place / "cost", schedule)
        for shape in SHAPES:
            for sync in (True, False):
                name = f"T x N x C = {'x'.join(map(str, shape))}{'' if sync else ', sync=False'}"
                figures[name] = throughput(place, shape, sync)
        figures["half precision"] = half_precision(place)
    for name, found in figures.items():
        print(f"\n{name}\n" + "\n".join(f"  {key}: {value:.4g}" for key, value in found.items()))
    if arguments.save:
        save("recording", figures)


if __name__ == "__main__":
    main()
