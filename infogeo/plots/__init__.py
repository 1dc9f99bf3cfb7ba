"""Pictures of maps, spectra, learning curves, comparisons and dimensions: plotly figures from records only."""

from infogeo.plots.clusters import dendrogram
from infogeo.plots.comparison import importance_bars, progress_curves, road_distance, trajectory_map, tube_widths
from infogeo.plots.curves import learning_curves
from infogeo.plots.dimension import dimension_curves
from infogeo.plots.dimension_estimates import dimension_estimates
from infogeo.plots.fit import misfit_by_run, misfit_by_step
from infogeo.plots.heatmap import matrix
from infogeo.plots.light_cones import light_cones
from infogeo.plots.pairs import shepard
from infogeo.plots.paths import trajectories
from infogeo.plots.shares import spectrum, stress

__all__ = [
    "dendrogram",
    "dimension_curves",
    "dimension_estimates",
    "importance_bars",
    "learning_curves",
    "light_cones",
    "matrix",
    "misfit_by_run",
    "misfit_by_step",
    "progress_curves",
    "road_distance",
    "shepard",
    "spectrum",
    "stress",
    "trajectories",
    "trajectory_map",
    "tube_widths",
]
