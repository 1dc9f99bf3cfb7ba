"""Real runs: the networks of `infogeo demo` from many seeds. No truth is known; do the estimators agree?"""

from __future__ import annotations

from typing import Any

import infogeo
from benchmarks.dimension.estimators import of_runs, of_spectrum
from benchmarks.dimension.families import divergences
from infogeo.demo import Group, load_digits, train_group

GROUPS = (Group("linear", "sgd"), Group("mlp-narrow", "adam"))


def measure(seeds: int) -> list[dict[str, Any]]:
    """One row per group and estimator, from what runs of as many seeds predict on the training images."""
    digits = load_digits()
    rows = []
    for group in GROUPS:
        runs = train_group(group, digits, weight_decays=(0.0,), n_seeds=seeds)
        predictions = infogeo.Predictions.from_arrays(
            {run.name: run.train_log_probs for run in runs},
            "log-probabilities",
            labels=digits.train_labels,
            steps=runs[0].steps,
        )
        predictions = infogeo.with_progress(predictions, infogeo.progress_of(predictions))
        matrix = divergences(predictions)
        for found in [*of_runs(matrix), *of_spectrum(matrix)]:
            estimate = found.estimate
            low, high = estimate.interval()
            rows.append(
                {
                    "runs": f"{group.architecture}, {group.optimiser}",
                    "n runs": len(runs),
                    "points": len(matrix.points),
                    "estimator": found.estimator,
                    "value": estimate.value,
                    "error": estimate.standard_error,
                    "low": low,
                    "high": high,
                    "scale": estimate.scale,
                    "excluded": estimate.excluded,
                    "seconds": found.seconds,
                    "warnings": list(estimate.warnings),
                }
            )
    return rows
