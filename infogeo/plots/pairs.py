"""Shepard diagram: pairs of points, their divergence and their interval on the map."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from infogeo.core.arguments import check_record, check_whole
from infogeo.core.errors import InputError
from infogeo.core.linalg import row_blocks
from infogeo.embed.explained import check_same_points
from infogeo.embed.inpca import Embedding
from infogeo.pairwise.matrix import PairwiseMatrix
from infogeo.plots import palette
from infogeo.plots.axes import axes_text, check_limit, divergence_name, escaped, unit
from infogeo.plots.style import figure

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


class Pairs(NamedTuple):
    """M pairs of the points of a map.

    Attributes:
        first, second: their rows [M].
        divergence: D_ij [M].
        sq_interval: sum_{a<=k} signature_a (x_ia - x_ja)^2 [M]; below zero where time-like axes outweigh the others.
        n_pairs: how many pairs there are in all.
    """

    first: Rows
    second: Rows
    divergence: Array
    sq_interval: Array
    n_pairs: int


def pairs_on_map(matrix: PairwiseMatrix, embedding: Embedding, k: int = 3, limit: int = 4000, seed: int = 0) -> Pairs:
    """Pairs of points, drawn at random without repetition where there are more than the limit; one pass over D.

    Pair c of P (P - 1) / 2 is (r, r + q + 1 mod P) with q, r = divmod(c, P): every pair once.

    Args:
        matrix: what the map was made from.
        embedding: the map.
        k: how many axes; no more than the map has are taken.
        limit: at most so many pairs.
        seed: of the draw.

    Raises:
        InputError: the matrix is a rectangle or of other points, or k or the limit is below one.
    """
    check_limit(limit)
    check_whole("k", k)
    check_record("matrix", matrix, PairwiseMatrix)
    if matrix.columns is not None:
        raise InputError("matrix: is a rectangle; give the square one that the map was made from")
    check_same_points(matrix, embedding)
    size = len(embedding.points)
    n_pairs = size * (size - 1) // 2
    drawn = np.arange(n_pairs)
    if n_pairs > limit:
        drawn = np.sort(np.random.default_rng(seed).choice(n_pairs, limit, replace=False, shuffle=False))
    turn, first = np.divmod(drawn, size)
    second = (first + turn + 1) % size
    divergence = np.empty(len(drawn))
    for start, stop in row_blocks(size):
        inside = (first >= start) & (first < stop)
        if inside.any():
            divergence[inside] = matrix.values[start:stop][first[inside] - start, second[inside]]
    apart = embedding.coords[first, :k] - embedding.coords[second, :k]
    return Pairs(first, second, divergence, np.square(apart) @ embedding.signature[:k].astype(np.float64), n_pairs)


def shepard(matrix: PairwiseMatrix, embedding: Embedding, k: int = 3, limit: int = 4000, seed: int = 0) -> go.Figure:
    """Shepard diagram: the squared interval of pairs on k axes against their divergence, with the diagonal of a fit.

    Below the diagonal the map puts a pair too near. Pairs whose interval is negative, for which time-like axes
    outweigh the others, are diamonds below zero.

    Args:
        matrix: what the map was made from.
        embedding: the map.
        k: how many axes; no more than the map has are taken.
        limit: at most so many pairs are drawn, at random; the axis says so.
        seed: of the draw.

    Raises:
        InputError: the matrix is a rectangle or of other points, or k or the limit is below one.
    """
    pairs = pairs_on_map(matrix, embedding, k, limit, seed)
    return shepard_of(pairs, embedding, k)


def shepard_of(pairs: Pairs, embedding: Embedding, k: int) -> go.Figure:
    """The Shepard diagram of these pairs of points of a map; the rows of each pair are its `customdata`."""
    points, rows = embedding.points, np.stack([pairs.first, pairs.second], axis=1)
    names = [f"{escaped(run)} · step {step}" for run, step in zip(points["run"], points["step"], strict=True)]
    nats = unit(embedding.divergence)
    far = max(float(pairs.divergence.max()), float(pairs.sq_interval.max()))
    traces: list[Any] = [
        go.Scatter(
            x=[0, far],
            y=[0, far],
            mode="lines",
            name="a perfect fit",
            line={"color": palette.GREY, "dash": "dash"},
            hoverinfo="skip",
        )
    ]
    negative = pairs.sq_interval < 0
    kinds = (
        (~negative, "pair of checkpoints", palette.SPACE_LIKE, "circle", 0.45),
        (negative, f"interval² < 0: {np.count_nonzero(negative):,} pairs", palette.TIME_LIKE, "diamond", 0.9),
    )
    for mask, name, colour, symbol, opacity in kinds:
        if mask.any():
            traces.append(
                go.Scatter(
                    x=pairs.divergence[mask].astype(np.float32),
                    y=pairs.sq_interval[mask].astype(np.float32),
                    mode="markers",
                    name=name,
                    customdata=rows[mask],
                    text=[f"<b>{names[i]}</b><br><b>{names[j]}</b>" for i, j in rows[mask]],
                    marker={"color": colour, "symbol": symbol, "size": 5, "opacity": opacity},
                    hovertemplate=f"%{{text}}<br>divergence: %{{x:.4g}} {nats}<br>map: %{{y:.4g}}<extra></extra>",
                )
            )
    across = f"divergence ({nats}) · {divergence_name(embedding.divergence)}" if nats else "given divergence"
    count = len(pairs.first)
    which = f"{count:,} of {pairs.n_pairs:,} pairs" if count < pairs.n_pairs else "all pairs"
    return figure(
        traces,
        xaxis={"title": {"text": f"{across} · {which}"}},
        yaxis={
            "title": {"text": f"squared interval on {axes_text(min(k, embedding.n_components))}"},
            "zeroline": True,
            "zerolinecolor": palette.NEUTRAL,
        },
        legend={"x": 0.02, "y": 0.98, "xanchor": "left", "yanchor": "top", "bgcolor": "rgba(0,0,0,0)"},
    )
