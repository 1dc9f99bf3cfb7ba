"""How many axes of a map are needed: by the stress that they explain, alone or beside a null model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from infogeo.core.errors import InputError
from infogeo.dimension.estimate import DimensionEstimate
from infogeo.dimension.rows import Array

ROUNDING = 1e-9
"""By how much explained stress may fall from axis to axis, or lie outside of [0, 1], without being refused."""
ERRORS = 2.0
"""Standard errors of the stress within which another number of axes is told."""


def stress_dimension(
    explained_stress: ArrayLike,
    level: float = 0.9,
    standard_error: ArrayLike | None = None,
    null: ArrayLike | None = None,
) -> DimensionEstimate:
    """The smallest k with s_k >= level: so many axes explain this share. Relative to a null, by the excess over it.

    With replicates s^m_k under a null model, m = 1..M, the excess is e_k = s_k - mean_m s^m_k, and the dimension the
    smallest k with e_k >= level max_j e_j: so many axes explain nearly all that axes explain beyond chance. Beyond the
    axes that carry a signal each further one explains less of the data than of the null, so that the excess is largest
    about where they end. The dimension is 0 where the largest excess is no more than that of the replicates over the
    mean of the other ones: a test at the level 1 / (M + 1), for M of at least 2.

    Args:
        explained_stress: s [K], for k = 1..K axes, of `embedding.explained_stress`.
        level: the share that is to be reached, above 0 and up to 1.
        standard_error: of the stress [K], as of `EmbeddingErrors.explained_stress`; then a warning tells which k lie
            within two of them.
        null: the explained stress of data sets under a null model [M, K], as of `NullComparison.replicates`; give the
            stress on the same points as theirs (`NullComparison.statistic`).

    Returns:
        A `DimensionEstimate` with a whole value, or NaN where none of the K axes reaches the level; it has no scale,
        no standard error, and does not know the number of points (0).

    Raises:
        InputError: something else than stress, arrays of other lengths, or a level outside of (0, 1].
    """
    stress = _stress("explained_stress", explained_stress, 1)
    _check_level(level, 1.0)
    errors = None if standard_error is None else _like(np.asarray(standard_error, np.float64), stress, "standard_error")
    if null is None:
        return _estimate(
            f"explained stress of {100 * level:g} %",
            _first(stress, level),
            (*_missed(stress, level), *_within(stress, level, errors)),
        )
    replicates = _like(_stress("null", null, 2), stress, "null")
    name = f"explained stress, {100 * level:g} % of its excess over {len(replicates)} null replicates"
    excess = stress - replicates.mean(axis=0)
    most = float(excess.max())
    if most <= _by_chance(replicates):
        return _estimate(name, 0.0, ("the axes explain no more than those of the null",))
    told = () if excess.argmax() < len(excess) - 1 else (
        f"the excess over the null still grows at the last of {len(stress)} axes: more axes may give more",
    )  # fmt: skip
    return _estimate(name, _first(excess, level * most), (*told, *_within(excess, level * most, errors)))


def parallel_analysis(explained_stress: ArrayLike, null: ArrayLike, level: float = 0.95) -> DimensionEstimate:
    """How many axes, from the first on, are larger than those of the null: |lambda_k| / ||W|| against its quantile.

    The shares follow from the explained stress, s_k = 1 - sqrt(1 - sum_{i<=k} lambda_i^2 / ||W||^2):

        lambda_k^2 / ||W||^2 = (1 - s_{k-1})^2 - (1 - s_k)^2,  s_0 = 0.

    Axis k is kept if its share is above the null's of rank ceil(level (M - 1)) + 1 in ascending order (the largest of
    20 at 0.95), and all axes before it are kept. As shares sum to one, a strong first axis makes those after it smaller
    than they would be beside the null's: the number is rather too small then.

    Args:
        explained_stress: s [K], for k = 1..K axes.
        null: the same of M data sets under a null model, on the same points [M, K].
        level: of the quantile, at least 0 and below 1; M must be at least 1 / (1 - level).

    Returns:
        A `DimensionEstimate` with a whole value, 0 where no axis is kept; where all K are, a warning says "at least".

    Raises:
        InputError: something else than stress, arrays of other lengths, or too few replicates for the level.

    Source: Horn, Psychometrika 30 (1965) 179; the quantile instead of the mean after Glorfeld, Educational and
    Psychological Measurement 55 (1995) 377.
    """
    stress = _stress("explained_stress", explained_stress, 1)
    replicates = _like(_stress("null", null, 2), stress, "null")
    if not 0 <= level < 1:
        raise InputError(f"level: {level}; give a number from 0 on and below 1")
    needed = int(np.ceil(1 / (1 - level) - ROUNDING))
    if len(replicates) < needed:
        raise InputError(f"null: {len(replicates)} replicates; a quantile at {level:g} takes {needed} of them")
    chance = np.quantile(_shares(replicates), level, axis=0, method="higher")
    above = _shares(stress) > chance
    kept = len(above) if above.all() else int(np.argmin(above))
    told = (f"all {kept} axes are larger than the null's: the dimension is at least {kept}",) if above.all() else ()
    return _estimate(f"parallel analysis at {100 * level:g} % of {len(replicates)} null replicates", float(kept), told)


def _shares(stress: Array) -> Array:
    """lambda_k^2 / ||W||^2 [..., K]."""
    left = np.square(1 - stress)
    before = np.concatenate([np.ones_like(left[..., :1]), left[..., :-1]], axis=-1)
    return before - left


def _by_chance(replicates: Array) -> float:
    """The largest excess of a replicate over the mean of the others, or 0."""
    count = len(replicates)
    if count < 2:
        return 0.0
    others = (replicates.sum(axis=0) - replicates) / (count - 1)
    return max(float((replicates - others).max()), 0.0)


def _first(reached: Array, level: float) -> float:
    """The smallest k with a value of at least the level, to rounding; NaN where there is none."""
    enough = reached >= level * (1 - ROUNDING)
    return float(np.argmax(enough)) + 1 if enough.any() else float("nan")


def _missed(stress: Array, level: float) -> tuple[str, ...]:
    if not np.isnan(_first(stress, level)):
        return ()
    axes = "the one axis explains" if len(stress) == 1 else f"all {len(stress)} axes explain"
    return (f"{axes} {100 * stress[-1]:.3g} %, less than {100 * level:g} %: more axes are needed",)


def _within(reached: Array, level: float, errors: Array | None) -> tuple[str, ...]:
    """Which other numbers of axes may be the first that reaches the level."""
    if errors is None:
        return ()
    few, many = _first(reached + ERRORS * errors, level), _first(reached - ERRORS * errors, level)
    if few == many or np.isnan(few):
        return ()
    to = f"from {few:.0f} on" if np.isnan(many) else f"from {few:.0f} to {many:.0f}"
    return (f"within two standard errors of the stress it is {to}",)


def _estimate(name: str, value: float, told: tuple[str, ...]) -> DimensionEstimate:
    return DimensionEstimate(name, value, float("nan"), float("nan"), n_points=0, warnings=told)


def _stress(argument: str, values: ArrayLike, dimensions: int) -> Array:
    """Explained stress [K], or of several data sets [M, K]."""
    stress = np.asarray(values, dtype=np.float64)
    shape = "[K]" if dimensions == 1 else "[M, K]"
    if stress.ndim != dimensions or not stress.size:
        raise InputError(f"{argument}: has shape {stress.shape}, expected {shape}, for k = 1..K axes")
    falls = np.diff(stress, axis=-1).min(initial=0.0) < -ROUNDING
    if not ((stress >= -ROUNDING) & (stress <= 1 + ROUNDING)).all() or falls:
        raise InputError(f"{argument}: explained stress lies within 0 and 1 and does not fall from axis to axis")
    return np.clip(stress, 0.0, 1.0)


def _like(values: Array, stress: Array, argument: str) -> Array:
    if values.shape[-1:] != stress.shape or (values < 0).any() or np.isnan(values).any():
        raise InputError(
            f"{argument}: has shape {values.shape}, expected {len(stress)} axes, none negative, as explained_stress has"
        )
    return values


def _check_level(level: float, most: float) -> None:
    if not 0 < level <= most:
        raise InputError(f"level: {level}; give a number above 0 and up to {most:g}")
