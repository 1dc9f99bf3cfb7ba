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
    from infogeo.divergences import (
        Bhattacharyya,
        Divergence,
        Euclidean,
        FisherRao,
        Hellinger,
        JensenShannon,
        Renyi,
        SymmetricKL,
    )
    from infogeo.embed import Embedding, Map, Projection, embed_predictions, inpca
    from infogeo.geometry import (
        ArcProgress,
        ArithmeticMean,
        BhattacharyyaCentroid,
        BhattacharyyaProgress,
        Geodesic,
        GeometricMean,
        HarmonicMean,
        JeffreysCentroid,
        SquareRootMean,
        mean_prediction,
    )
    from infogeo.nulls import NullComparison, explained_stress_null, shuffled_within_class
    from infogeo.pairwise import (
        PairwiseMatrix,
        Plan,
        Steps,
        pairwise_divergence,
        plan_pairwise,
        replicated_hellinger,
        trajectory_steps,
    )
    from infogeo.store import load, write_store
    from infogeo.trajectories import (
        AccuracyProgress,
        Comparison,
        FactorImportance,
        FactorTest,
        Pace,
        Progress,
        Shapes,
        StepProgress,
        Tubes,
        at_steps,
        common_grid,
        compare_runs,
        configuration_matrix,
        factor_importance,
        frechet_distances,
        geodesic,
        geodesic_points,
        pace,
        permanova,
        progress_of,
        reindexed,
        shapes,
        soft_distances,
        trajectory_divergence,
        tubes,
        with_progress,
    )

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
    "Euclidean": "divergences",
    "FisherRao": "divergences",
    "JensenShannon": "divergences",
    "Renyi": "divergences",
    "SymmetricKL": "divergences",
    "PairwiseMatrix": "pairwise",
    "Plan": "pairwise",
    "Steps": "pairwise",
    "pairwise_divergence": "pairwise",
    "plan_pairwise": "pairwise",
    "replicated_hellinger": "pairwise",
    "trajectory_steps": "pairwise",
    "Embedding": "embed",
    "Map": "embed",
    "Projection": "embed",
    "embed_predictions": "embed",
    "inpca": "embed",
    "NullComparison": "nulls",
    "explained_stress_null": "nulls",
    "shuffled_within_class": "nulls",
    "ArcProgress": "geometry",
    "BhattacharyyaProgress": "geometry",
    "Geodesic": "geometry",
    "AccuracyProgress": "trajectories",
    "Progress": "trajectories",
    "Shapes": "trajectories",
    "StepProgress": "trajectories",
    "at_steps": "trajectories",
    "common_grid": "trajectories",
    "frechet_distances": "trajectories",
    "geodesic": "trajectories",
    "geodesic_points": "trajectories",
    "progress_of": "trajectories",
    "reindexed": "trajectories",
    "shapes": "trajectories",
    "soft_distances": "trajectories",
    "trajectory_divergence": "trajectories",
    "with_progress": "trajectories",
    "ArithmeticMean": "geometry",
    "BhattacharyyaCentroid": "geometry",
    "GeometricMean": "geometry",
    "HarmonicMean": "geometry",
    "JeffreysCentroid": "geometry",
    "SquareRootMean": "geometry",
    "mean_prediction": "geometry",
    "Comparison": "trajectories",
    "compare_runs": "trajectories",
    "Pace": "trajectories",
    "pace": "trajectories",
    "Tubes": "trajectories",
    "tubes": "trajectories",
    "configuration_matrix": "trajectories",
    "FactorTest": "trajectories",
    "permanova": "trajectories",
    "FactorImportance": "trajectories",
    "factor_importance": "trajectories",
}
_MODULES = ("plots", "report")

__all__ = [
    "AccuracyProgress",
    "ArcProgress",
    "ArithmeticMean",
    "Bhattacharyya",
    "BhattacharyyaCentroid",
    "BhattacharyyaProgress",
    "CoarseGraining",
    "Comparison",
    "Divergence",
    "Embedding",
    "Euclidean",
    "FactorImportance",
    "FactorTest",
    "FisherRao",
    "Geodesic",
    "GeometricMean",
    "HarmonicMean",
    "Hellinger",
    "InputError",
    "JeffreysCentroid",
    "JensenShannon",
    "Kind",
    "LabelSpace",
    "Map",
    "NullComparison",
    "Pace",
    "PairwiseMatrix",
    "Plan",
    "Points",
    "Predictions",
    "Progress",
    "Projection",
    "Renyi",
    "Shapes",
    "SquareRootMean",
    "StepProgress",
    "Steps",
    "SymmetricKL",
    "Tubes",
    "at_steps",
    "common_grid",
    "compare_runs",
    "configuration_matrix",
    "embed_predictions",
    "explained_stress_null",
    "factor_importance",
    "frechet_distances",
    "geodesic",
    "geodesic_points",
    "inpca",
    "load",
    "mean_prediction",
    "merge_classes",
    "pace",
    "pairwise_divergence",
    "permanova",
    "plan_pairwise",
    "plots",
    "progress_of",
    "reindexed",
    "replicated_hellinger",
    "report",
    "shapes",
    "shuffled_within_class",
    "soft_distances",
    "trajectory_divergence",
    "trajectory_steps",
    "tubes",
    "with_progress",
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
