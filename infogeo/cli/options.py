"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infogeo.core.kinds import Kind

if TYPE_CHECKING:
    from infogeo.divergences.base import Divergence


class DivergenceName(StrEnum):
    """The divergences by their names in the shell."""

    bhattacharyya = "bhattacharyya"
    hellinger = "hellinger"
    symmetric_kl = "symmetric-kl"


def divergence_of(name: DivergenceName) -> Divergence:
    """The divergence of that name."""
    from infogeo.divergences import Bhattacharyya, Hellinger, SymmetricKL

    return {
        DivergenceName.bhattacharyya: Bhattacharyya(),
        DivergenceName.hellinger: Hellinger(),
        DivergenceName.symmetric_kl: SymmetricKL(),
    }[name]


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
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
