"""Correlation sums pair by pair, their slope, and its variance run by run."""

from math import fsum, log, sqrt


def pairs_of(d, runs, across):
    """All pairs i < j as (run, run, distance): of different runs only, or all."""
    found = [(runs[i], runs[j], sqrt(d[i][j])) for i in range(len(d)) for j in range(i + 1, len(d))]
    return [pair for pair in found if not across or pair[0] != pair[1]]


def share(pairs, radius):
    """C(r): the share of pairs at a distance below r."""
    return sum(distance < radius for _, _, distance in pairs) / len(pairs)


def slope(pairs, low, high):
    """log(C(high) / C(low)) / log(high / low)."""
    return log(share(pairs, high) / share(pairs, low)) / log(high / low)


def standard_error(pairs, low, high):
    """sqrt of V = sum_a (S_a - mean)^2 - sum_{a<b} psi_ab^2, S_a = sum_b psi_ab; no less than sum_{a<=b} psi_ab^2."""
    n_low, n_high = (share(pairs, radius) * len(pairs) for radius in (low, high))
    psi = {}
    for a, b, distance in pairs:
        term = ((distance < high) / n_high - (distance < low) / n_low) / log(high / low)
        psi[frozenset((a, b))] = psi.get(frozenset((a, b)), 0.0) + term
    by_run = {}
    for both, term in psi.items():
        for a in both:
            by_run[a] = by_run.get(a, 0.0) + term
    between = fsum(term**2 for both, term in psi.items() if len(both) == 2)
    own = fsum(term**2 for both, term in psi.items() if len(both) == 1)
    mean = fsum(by_run.values()) / len(by_run)
    return sqrt(max(fsum((total - mean) ** 2 for total in by_run.values()) - between, between + own))
