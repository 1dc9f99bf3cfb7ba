"""The null beside a result: the one asked for, or by default the first that applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from infogeo.cli import options
from infogeo.cli.console import Messages

if TYPE_CHECKING:
    from infogeo.core.predictions import Predictions
    from infogeo.nulls import NullModel

MOST_CLASSES = 1000
"""Random predictions of more classes take longer than a map: then there is no null unless one is asked for."""
Made = TypeVar("Made")


def beside(
    predictions: Predictions,
    asked: options.NullName,
    merged: bool,
    messages: Messages,
    make: Callable[[NullModel, Callable[[int, int], None]], Made],
) -> Made | None:
    """What `make` gives for the null model, with its progress; None where there is none, which is said.

    Args:
        predictions: of the data.
        asked: which null.
        merged: whether classes are merged, so that none is made unless it is asked for.
        messages: where to say so.
        make: from the model and a function for its progress.

    Raises:
        InputError: a null that was asked for cannot be made.
    """
    from infogeo.core.errors import InputError

    usual = asked is options.NullName.auto
    name = _usual(predictions, merged) if usual else asked
    if name is options.NullName.none:
        if usual:
            messages.say("no null: with merged or very many classes none is made; ask for one with --null")
        return None
    try:
        with messages.progress("null") as progress:
            return make(options.null_of(name), progress)
    except InputError as error:
        if not usual:
            raise
        messages.say(f"no null: {error}")
        return None


def _usual(predictions: Predictions, merged: bool) -> options.NullName:
    if merged or predictions.coarse_graining or predictions.n_classes > MOST_CLASSES:
        return options.NullName.none
    if predictions.labels is not None and len(predictions.points.runs) > 1:
        return options.NullName.within_class
    return options.NullName.dirichlet
