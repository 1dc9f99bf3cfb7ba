"""What a null model is, and its random numbers."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from infogeo.core.predictions import Predictions

Seed = int | np.random.SeedSequence
"""Of a null model: a number, or a seed that was derived from one."""


class NullModel(Protocol):
    """Predictions that keep some facts of the data and lose one on purpose: small, frozen, without data of its own.

    Attributes:
        name: in two or three words.
        words: what was done to the data; they follow "with".
        claim: what the data show, if they show more than this null; it follows "evidence that".
        needs_labels: whether the true class of each sample must be known.
        random: whether one seed differs from another; if not, there is one replicate, and no p-value.
    """

    name: ClassVar[str]
    words: ClassVar[str]
    claim: ClassVar[str]
    needs_labels: ClassVar[bool]
    random: ClassVar[bool]

    def replicate(self, predictions: Predictions, seed: Seed) -> Predictions:
        """One data set under the null, with the same points and samples; read lazily, any block in any order.

        Raises:
            InputError: the null cannot be made of these predictions, or would leave them as they are.
        """
        ...


def derived(seed: Seed, *key: int) -> np.random.SeedSequence:
    """The seed of one part of what a seed makes: independent of the others, the same in any order."""
    if isinstance(seed, np.random.SeedSequence):
        return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))
    return np.random.SeedSequence(seed, spawn_key=key)
