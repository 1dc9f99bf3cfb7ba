"""Pictures of embeddings, spectra, matrices and learning curves: plotly figures from records only."""

from infogeo.plots.curves import learning_curves
from infogeo.plots.heatmap import matrix
from infogeo.plots.paths import trajectories
from infogeo.plots.shares import spectrum, stress

__all__ = ["learning_curves", "matrix", "spectrum", "stress", "trajectories"]
