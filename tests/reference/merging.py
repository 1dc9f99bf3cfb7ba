"""Merging classes, one sample and one class at a time."""

from math import exp, fsum, log


def leading(log_probs, keep, labels=None):
    """The true class and the classes of largest summed probability, ascending: a list of `keep` per sample."""
    _, n_samples, n_classes = log_probs.shape
    kept = []
    for n in range(n_samples):
        mass = [fsum(exp(x) for x in log_probs[:, n, c]) for c in range(n_classes)]
        true = None if labels is None else labels[n]
        order = sorted(range(n_classes), key=lambda c: (c != true, -mass[c], c))
        kept.append(sorted(order[:keep]))
    return kept


def merged(log_probs, kept):
    """Rows of the log-probabilities kept, and last the logarithm of the sum over all other classes."""
    return [[_merged_row(row, kept[n]) for n, row in enumerate(point)] for point in log_probs]


def _merged_row(row, kept):
    rest = [exp(x) for c, x in enumerate(row) if c not in kept]
    return [*(row[c] for c in kept), log(fsum(rest))]
