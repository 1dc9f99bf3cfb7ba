"""How much of an error is the spacing of checkpoints? Paths are straight between them, and real ones are not.

In one dimension across runs the nearest of many runs are so close that the bend between two checkpoints counts.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from benchmarks.dimension.coverage import SAMPLES
from benchmarks.dimension.estimators import ACROSS, covers
from benchmarks.dimension.families import FLOWS, divergences, trajectories
from infogeo.dimension import ScaleExtrapolation, estimate_dimension


def measure(runs: tuple[int, ...], checkpoints: tuple[int, ...], repetitions: int) -> list[dict[str, Any]]:
    """One row per flow, number of runs and of checkpoints, and kind of neighbour: d = 1 across runs, extrapolated."""
    rows = []
    for flow, size, count in product(FLOWS, runs, checkpoints):
        seeds = ([FLOWS.index(flow), size, count, number] for number in range(repetitions))
        matrices = [
            divergences(trajectories(flow, np.random.default_rng(seed), 1, size, count, SAMPLES)) for seed in seeds
        ]
        for words, among in ACROSS.items():
            found = [estimate_dimension(matrix, ScaleExtrapolation(), among) for matrix in matrices]
            answers = [estimate for estimate in found if np.isfinite(estimate.value)]
            rows.append(
                {
                    "flow": flow,
                    "runs": size,
                    "checkpoints": count,
                    "neighbours": words,
                    "answers": f"{len(answers)} of {repetitions}",
                    "mean": float(np.mean([estimate.value for estimate in answers])),
                    "mean SE": float(np.mean([estimate.standard_error for estimate in answers])),
                    "coverage": float(np.mean([covers(estimate, 1) for estimate in answers])),
                }
            )
    return rows
