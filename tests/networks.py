"""Predictions of a few real networks, trained in a second."""

from functools import cache

import infogeo
from infogeo import demo


@cache
def digits_networks():
    """What two linear models and two networks with a hidden layer predict of the test digits, to step 400."""
    digits = demo.load_digits()
    groups = [demo.Group("linear", "sgd"), demo.Group("mlp-narrow", "adam")]
    runs = [run for group in groups for run in demo.train_group(group, digits, weight_decays=(0.0,), n_seeds=2)]
    return infogeo.Predictions.from_arrays(
        {run.name: run.test_log_probs for run in runs},
        "log-probabilities",
        labels=digits.test_labels,
        meta={run.name: run.metadata for run in runs},
        steps=runs[0].steps,
    )
