"""infogeo: maps of training from what networks predict on a fixed probe set.

Save predictions at every checkpoint; each model becomes a point in the space of probability distributions.
infogeo measures that space (divergences), draws it (intensive embeddings) and says what the picture explains.

Every public name is one of the table below and is imported on first use: importing infogeo loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from infogeo import plots, report
    from infogeo.core.coarse import CoarseGraining
    from infogeo.core.errors import InputError
    from infogeo.core.kinds import Kind
    from infogeo.core.labels import LabelSpace
    from infogeo.core.merging import merge_classes
    from infogeo.core.points import Points
    from infogeo.core.predictions import Predictions
    from infogeo.divergences import Bhattacharyya, Divergence, Hellinger, SymmetricKL
    from infogeo.embed import Embedding, Map, Projection, embed_predictions, inpca
    from infogeo.nulls import NullComparison, explained_stress_null, shuffled_within_class
    from infogeo.pairwise import PairwiseMatrix, Plan, Steps, pairwise_divergence, plan_pairwise, trajectory_steps
    from infogeo.store import load, write_store

_HOME = {
    "Kind": "core.kinds",
    "CoarseGraining": "core.coarse",
    "InputError": "core.errors",
    "LabelSpace": "core.labels",
    "Points": "core.points",
    "Predictions": "core.predictions",
    "merge_classes": "core.merging",
    "load": "store",
    "write_store": "store",
    "Divergence": "divergences",
    "Bhattacharyya": "divergences",
    "Hellinger": "divergences",
    "SymmetricKL": "divergences",
    "PairwiseMatrix": "pairwise",
    "Plan": "pairwise",
    "Steps": "pairwise",
    "pairwise_divergence": "pairwise",
    "plan_pairwise": "pairwise",
    "trajectory_steps": "pairwise",
    "Embedding": "embed",
    "Map": "embed",
    "Projection": "embed",
    "embed_predictions": "embed",
    "inpca": "embed",
    "NullComparison": "nulls",
    "explained_stress_null": "nulls",
    "shuffled_within_class": "nulls",
}
_MODULES = ("plots", "report")

__all__ = [
    "Bhattacharyya",
    "CoarseGraining",
    "Divergence",
    "Embedding",
    "Hellinger",
    "InputError",
    "Kind",
    "LabelSpace",
    "Map",
    "NullComparison",
    "PairwiseMatrix",
    "Plan",
    "Points",
    "Predictions",
    "Projection",
    "Steps",
    "SymmetricKL",
    "embed_predictions",
    "explained_stress_null",
    "inpca",
    "load",
    "merge_classes",
    "pairwise_divergence",
    "plan_pairwise",
    "plots",
    "report",
    "shuffled_within_class",
    "trajectory_steps",
    "write_store",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"infogeo.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"infogeo.{name}")
    raise AttributeError(f"module 'infogeo' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
