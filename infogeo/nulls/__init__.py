"""What the same numbers are by chance: null models, and the way from predictions to stress over them."""

from infogeo.nulls.comparison import NullComparison
from infogeo.nulls.dirichlet import DirichletModels
from infogeo.nulls.explained_stress import explained_stress_null
from infogeo.nulls.model import NullModel
from infogeo.nulls.step_shuffle import StepShuffle
from infogeo.nulls.straight import GeodesicNull
from infogeo.nulls.subsample import Subsample
from infogeo.nulls.verdict import Verdict
from infogeo.nulls.within_class import WithinClassShuffle, shuffled_within_class

__all__ = [
    "DirichletModels",
    "GeodesicNull",
    "NullComparison",
    "NullModel",
    "StepShuffle",
    "Subsample",
    "Verdict",
    "WithinClassShuffle",
    "explained_stress_null",
    "shuffled_within_class",
]
