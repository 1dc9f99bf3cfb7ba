"""What the same numbers are by chance: null models, and the way from predictions to stress over them."""

from infogeo.nulls.comparison import NullComparison
from infogeo.nulls.within_class import explained_stress_null, shuffled_within_class

__all__ = ["NullComparison", "explained_stress_null", "shuffled_within_class"]
