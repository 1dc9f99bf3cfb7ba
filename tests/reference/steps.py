"""One step between two rows of predictions, in decimal arithmetic of fifty digits."""

from decimal import Decimal, localcontext
from math import asin, sqrt


def step(log_p, log_q):
    """(mean -log BC, mean 1 - BC, root of the mean squared Fisher length) of log-probabilities [N, C]."""
    terms = [_terms([float(x) for x in p], [float(x) for x in q]) for p, q in zip(log_p, log_q, strict=True)]
    bhattacharyya, hellinger, sq_fisher = (sum(column) / len(terms) for column in zip(*terms, strict=True))
    return bhattacharyya, hellinger, sqrt(sq_fisher)


def _terms(log_p, log_q):
    with localcontext() as context:
        context.prec = 50
        p, q = _normalised(log_p), _normalised(log_q)
        overlap = sum((a * b).sqrt() for a, b in zip(p, q, strict=True))
        chord = sum((a.sqrt() - b.sqrt()) ** 2 for a, b in zip(p, q, strict=True)).sqrt()
        return float(-overlap.ln()), float(1 - overlap), (4 * asin(float(chord / 2))) ** 2


def _normalised(log_row):
    row = [Decimal(x).exp() for x in log_row]
    total = sum(row)
    return [x / total for x in row]
