"""How well a map fits and how sure it is: the numbers behind the section "Does it fit?", and its words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infogeo.embed.explained import explained_distance, l1_share
from infogeo.embed.inpca import Embedding
from infogeo.embed.residuals import Residuals, residuals
from infogeo.embed.uncertainty import EmbeddingErrors
from infogeo.nulls.comparison import NullComparison
from infogeo.plots.axes import axes_text
from infogeo.plots.pairs import Pairs, pairs_on_map
from infogeo.report.records import MapRecords
from infogeo.report.words import Table, bound

Array = NDArray[np.float64]
AXES = 3
"""Axes of the map that is looked at."""
MOST_POINTS = 20_000
"""Points up to which the page computes what a map leaves out: three passes over D, some ten seconds there."""
PAIRS = 4000
"""Pairs that the Shepard diagram of the page draws."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What the first k axes of a map leave out.

    Attributes:
        k: 3, or fewer where the map has fewer.
        distance: explained distance in the root mean square [k].
        distance_l1: the same in the mean [k]; None without the matrix.
        residuals: of every point; None without the matrix.
        pairs: for the Shepard diagram; None without the matrix.
        of_new: residuals of the points placed afterwards; None without their divergences.
    """

    k: int
    distance: Array
    distance_l1: Array | None = None
    residuals: Residuals | None = None
    pairs: Pairs | None = None
    of_new: Residuals | None = None

    @property
    def names(self) -> tuple[str, str]:
        """What the columns of misfit and bias are called."""
        return f"misfit on {axes_text(self.k)}", f"bias on {axes_text(self.k)}"


@dataclass(frozen=True)
class FitWords:
    """The words of the section.

    Attributes:
        table: one row for each number of axes.
        sentences: which runs do not fit, which axes cannot be told apart, what was left out.
    """

    table: Table
    sentences: tuple[str, ...]


def fit_of(records: MapRecords) -> Fit:
    """How well the first three axes fit; without a matrix, or with too many points, by the map's own numbers alone.

    Raises:
        InputError: the matrix is of other points, or the rows are to other points.
    """
    embedding, matrix = records.embedding, records.matrix
    k = min(AXES, embedding.n_components)
    of_new = None if records.rows is None else residuals(records.rows, embedding, k)
    fit = Fit(k, explained_distance(embedding)[:k], of_new=of_new)
    if matrix is None or len(embedding.points) > MOST_POINTS:
        return fit
    return replace(
        fit,
        residuals=residuals(matrix, embedding, k),
        distance_l1=l1_share(matrix.values, embedding.coords[:, :k], embedding.signature[:k], embedding.weights),
        pairs=pairs_on_map(matrix, embedding, k, PAIRS),
    )


def fit_words(fit: Fit, records: MapRecords) -> FitWords:
    """The words about a fit, beside its null and its errors where they are known."""
    sentences, count = [], len(records.embedding.points)
    if fit.residuals is not None:
        sentences.append(fit.residuals.sentence())
    elif records.matrix is not None:
        sentences.append(
            f"Which runs fit is left out of this page: {count:,} points are more than {MOST_POINTS:,}. "
            "infogeo.embed.residuals tells it."
        )
    if fit.of_new is not None:
        sentences.append(_of_new(fit.of_new))
    if records.errors is not None:
        sentences += [_close(records.errors), _places(records.errors, fit.k)]
    return FitWords(_table(fit, records.embedding, records.null, records.errors), tuple(map(bound, sentences)))


def percent_with_error(share: float, reach: float) -> str:
    """A share and how far its interval reaches, in per cent, with digits that tell them: 98.3 ± 0.2 %."""
    digits = 1 if reach <= 0 else int(np.clip(np.ceil(-np.log10(100 * reach)), 1, 3))
    return f"{100 * share:.{digits}f} ± {100 * reach:.{digits}f} %"


def _table(fit: Fit, embedding: Embedding, null: NullComparison | None, errors: EmbeddingErrors | None) -> Table:
    """One column for each number of axes 1..k, and a row for each number that is known."""
    shown = range(fit.k)
    rows = [("explained stress", [_percent(embedding.explained_stress[at]) for at in shown])]
    if errors is not None:
        low, high = errors.stress_interval()
        rows.append(("95 % interval", [f"{100 * low[at]:.2f} to {_percent(high[at], 2)}" for at in shown]))
    if null is not None:
        rows += _of_null(null, embedding, [at for at in shown if at < len(null.statistic)])
    rows.append(("divergences explained, by root mean square", [_percent(fit.distance[at]) for at in shown]))
    if fit.distance_l1 is not None:
        rows.append(("divergences explained, by mean", [_percent(fit.distance_l1[at]) for at in shown]))
    heads = (("", False), *((axes_text(at + 1), True) for at in shown))
    return Table(heads, tuple((bound(name), *texts, *["–"] * (fit.k - len(texts))) for name, texts in rows))


def _of_null(null: NullComparison, embedding: Embedding, shown: list[int]) -> list[tuple[str, list[str]]]:
    """Rows about the null, for the axes that it knows."""
    ours = [_percent(null.statistic[at]) for at in shown]
    same = ours == [_percent(embedding.explained_stress[at]) for at in shown]
    name = "explained stress under the null" if same else "explained stress of these under the null"
    part = f"{null.n_points:,} checkpoints on {null.n_samples:,} samples" if null.n_points else "a part of the data"
    return [
        *([] if same else [(f"explained stress of {part}", ours)]),
        (name, [_percent(null.null_mean[at]) for at in shown]),
        ("unexplained, relative to the null", [_number(null.effect[at], ".2f") for at in shown]),
        ("p", [_number(null.p_value[at], ".2g") for at in shown]),
        ("verdict", [null.verdict(at + 1).name for at in shown]),
    ]


def _of_new(found: Residuals) -> str:
    """How well runs fit that were placed on the map afterwards."""
    runs = found.per_run()
    opening = f"On {axes_text(found.k)} the divergences of what was placed afterwards are off by"
    if len(runs.runs) == 1:
        return f"{opening} {100 * runs.misfit[0]:.1f} % (root mean square)."
    typical, worst = 100 * float(np.median(runs.misfit)), f"{100 * runs.misfit[0]:.1f} % ({runs.runs[0]})"
    return f"{opening} {typical:.1f} % (root mean square) in the typical run, and by {worst} in the worst."


def _close(errors: EmbeddingErrors) -> str:
    close = np.flatnonzero(errors.close) + 1
    if not len(close):
        return "Every eigenvalue is more than two standard errors from its neighbours: the axes can be told apart."
    *first, last = map(str, close)
    return (
        f"The eigenvalues of axes {', '.join(first)} and {last} lie within two standard errors of a neighbour of the "
        "same signature, too close to tell apart with these samples: such axes may be turned into each other, so read "
        "them together and not one by one."
    )


def _places(errors: EmbeddingErrors, k: int) -> str:
    """How sure the typical checkpoint's place is."""
    reach = errors.t_factor() * np.median(errors.coords[:, :k], axis=0)
    length = np.ptp(errors.embedding.coords[:, :k], axis=0)
    parts = ", ".join(f"{100 * share:.1f} %" for share in reach / length)
    axes = "axis 1" if k == 1 else f"axes 1 to {k}"
    return (
        f"The place of the typical checkpoint is sure to ± {parts} of the length of {axes} (95 %, by the choice of "
        "probe samples)."
    )


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * float(share):.{digits}f}\u00a0%"


def _number(value: float, form: str) -> str:
    return f"{float(value):{form}}" if np.isfinite(value) else "–"
