"""PERMANOVA pair by pair, and its exact p-value from all permutations."""

from itertools import permutations, product
from math import fsum, inf


def squares(d, labels):
    """(SS_T, SS_W): sum_{i<j} d_ij / n, and the sum over groups of sum_{i<j in group} d_ij / n_g."""
    n = len(labels)
    total = fsum(d[i][j] for i in range(n) for j in range(i + 1, n)) / n
    parts = []
    for group in sorted(set(labels)):
        members = [i for i in range(n) if labels[i] == group]
        pairs = [d[i][j] for i in members for j in members if i < j]
        parts.append(fsum(pairs) / len(members))
    return total, fsum(parts)


def pseudo_f(d, labels):
    """((SS_T - SS_W) / (a - 1)) / (SS_W / (n - a))."""
    total, within = squares(d, labels)
    a, n = len(set(labels)), len(labels)
    return (total - within) / (a - 1) / (within / (n - a)) if within else inf


def groupings(labels, strata):
    """All ways to group the runs by exchanges within strata; each is a list of labels, none only renames another."""
    members = [[i for i, s in enumerate(strata) if s == stratum] for stratum in sorted(set(strata))]
    found = {}
    for exchange in product(*(permutations(m) for m in members)):
        new = list(labels)
        for old_places, new_places in zip(members, exchange, strict=True):
            for old, place in zip(old_places, new_places, strict=True):
                new[place] = labels[old]
        found.setdefault(frozenset(frozenset(i for i in range(len(new)) if new[i] == g) for g in set(new)), new)
    return list(found.values())


def exact_p(d, labels, strata):
    """The share of all groupings whose SS_W is no larger than the observed one (integer d: no rounding in sums)."""
    observed = squares(d, labels)[1]
    every = [squares(d, new)[1] for new in groupings(labels, strata)]
    return sum(within <= observed * (1 + 1e-12) for within in every) / len(every)


def blocked_pseudo_f(d, labels, block):
    """((SS_T - SS_W) / (a - 1)) / ((SS_W - SS_B) / (n - a - b + 1)), where SS_B = SS_T - SS_W(block)."""
    (total, within), within_block = squares(d, labels), squares(d, block)[1]
    a, b, n = len(set(labels)), len(set(block)), len(labels)
    return (total - within) / (a - 1) / ((within - (total - within_block)) / (n - a - b + 1))


def whole_groupings(labels, units, strata):
    """All ways to group the runs by exchanges of whole units within strata; each is a list of labels of runs."""
    names = sorted(set(units))
    firsts = [units.index(name) for name in names]
    found = groupings([labels[i] for i in firsts], [strata[i] for i in firsts])
    return [[new[names.index(unit)] for unit in units] for new in found]


def exact_whole_p(d, labels, units, strata):
    """The share of all groupings of whole units whose SS_W is no larger than the observed one."""
    observed = squares(d, labels)[1]
    every = [squares(d, new)[1] for new in whole_groupings(labels, units, strata)]
    return sum(within <= observed * (1 + 1e-12) for within in every) / len(every)
