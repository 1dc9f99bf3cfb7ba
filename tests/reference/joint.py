"""Divergences between predictions on different samples, averaged over all matchings within class, in float64."""

import numpy as np


def mean_over_matchings(train, test):
    """The Bhattacharyya divergences [P, P]: each sample of a class meets each sample of it equally often.

    Both have labels, and as many samples of each class as the other.
    """
    total = np.zeros((train.n_points, test.n_points))
    for i, p in enumerate(train.log_probs.astype(np.float64)):
        for j, q in enumerate(test.log_probs.astype(np.float64)):
            for c in np.unique(train.labels):
                pairs = p[train.labels == c][:, None] + q[test.labels == c][None]
                terms = -np.log(np.exp(pairs / 2).sum(axis=-1))
                total[i, j] += terms.sum() / len(terms)
    return total / train.n_samples
