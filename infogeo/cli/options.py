"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infogeo.core.kinds import Kind

if TYPE_CHECKING:
    from infogeo.divergences.base import Divergence
    from infogeo.embed import PointWeights
    from infogeo.nulls import NullModel


class DivergenceName(StrEnum):
    """The divergences by their names in the shell."""

    bhattacharyya = "bhattacharyya"
    hellinger = "hellinger"
    symmetric_kl = "symmetric-kl"
    renyi = "renyi"
    jensen_shannon = "jensen-shannon"
    fisher_rao = "fisher-rao"
    euclidean = "euclidean"


def divergence_of(name: DivergenceName, alpha: float | None = None) -> Divergence:
    """The divergence of that name.

    Raises:
        InputError: Renyi without its order, or an order for another.
    """
    from infogeo import divergences
    from infogeo.core.errors import InputError

    if name is DivergenceName.renyi:
        if alpha is None:
            raise InputError("--divergence renyi: needs its order, for example --alpha 0.3")
        return divergences.Renyi(alpha)
    if alpha is not None:
        raise InputError(f"--alpha: is the order of --divergence renyi; {name} has none")
    return {
        DivergenceName.bhattacharyya: divergences.Bhattacharyya,
        DivergenceName.hellinger: divergences.Hellinger,
        DivergenceName.symmetric_kl: divergences.SymmetricKL,
        DivergenceName.jensen_shannon: divergences.JensenShannon,
        DivergenceName.fisher_rao: divergences.FisherRao,
        DivergenceName.euclidean: divergences.Euclidean,
    }[name]()


def divergence_recorded(name: str) -> Divergence | None:
    """The divergence whose own name is this, as a map records it; None where there is none."""
    from infogeo.divergences import Renyi

    if order := re.fullmatch(r"Renyi\((.+)\)", name):
        return Renyi(float(order[1]))
    plain = (divergence_of(known) for known in DivergenceName if known is not DivergenceName.renyi)
    return next((divergence for divergence in plain if divergence.name == name), None)


class NullName(StrEnum):
    """The null models by their names in the shell."""

    auto = "auto"
    within_class = "within-class"
    step_shuffle = "step-shuffle"
    dirichlet = "dirichlet"
    geodesic = "geodesic"
    none = "none"


def null_of(name: NullName) -> NullModel:
    """The null model of that name, which is neither `auto` nor `none`."""
    from infogeo import nulls

    return {
        NullName.within_class: nulls.WithinClassShuffle,
        NullName.step_shuffle: nulls.StepShuffle,
        NullName.dirichlet: nulls.DirichletModels,
        NullName.geodesic: nulls.GeodesicNull,
    }[name]()


WEIGHT_RULES = ("points", "runs", "arc-length")
"""What `--weights` knows beside the names of columns."""


def weights_of(rule: str) -> PointWeights | None:
    """The rule for the weights of points of that name; any other name is a metadata column."""
    from infogeo.embed import ByArcLength, EqualGroups, EqualRuns

    return {"points": None, "runs": EqualRuns(), "arc-length": ByArcLength()}.get(rule, EqualGroups(rule))


INPUTS = "Stores, files (.npy, .npz, .h5, .safetensors, .pt, .parquet, .csv), zarr arrays, or folders of these."
Alpha = Annotated[float | None, typer.Option(help="The order of the Renyi divergence, between 0 and 1.", metavar="A")]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="True class of each sample: .npy, .json, or text with one per line. Brings accuracy, loss, "
        "ignorance and truth.",
        metavar="FILE",
    ),
]
Meta = Annotated[
    Path | None,
    typer.Option(help="Table of the runs, CSV or JSON, with a column 'run' or 'file': for colouring.", metavar="FILE"),
]
Steps = Annotated[
    Path | None,
    typer.Option(help="Steps of the checkpoints, for files that do not tell: .json, .csv or .npy.", metavar="FILE"),
]
As = Annotated[
    Kind | None,
    typer.Option("--as", help="What the numbers are; by default told from the typical row of each file."),
]
Memory = Annotated[
    str | None, typer.Option(help="Memory that the divergences may take, for example 4GB.", metavar="SIZE")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result at --out.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors and where the result is.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0, metavar="S")]
