"""Figures that survive what happens after them, and how to time a device."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Record:
    """Figures by name, appended to a file as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, **figures: Any) -> None:
        """Print and keep the figures of one name."""
        text = "  ".join(
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in figures.items()
        )
        print(f"{name}: {text}", flush=True)
        with self.path.open("a") as file:
            file.write(json.dumps({name: figures}) + "\n")

    def attempt(self, name: str, measure: Callable[[], dict[str, Any]]) -> None:
        """What fails is a figure too."""
        try:
            self.add(name, **measure())
        except Exception as error:
            self.add(name, failed=f"{type(error).__name__}: {error}"[:500])

    def figures(self) -> dict[str, dict[str, Any]]:
        """Everything so far, by name."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return {name: figures for line in lines for name, figures in json.loads(line).items()}


def median_seconds(call: Callable[[], Any], rounds: int = 7) -> float:
    """Of single calls that end with the device; the first two, which compile and warm up, do not count."""
    times = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times[2:]))
