"""The report: one HTML page that opens anywhere, offline, with the map, the numbers and where they came from."""

from infogeo.report.comparison import write_comparison
from infogeo.report.dimension import write_dimension
from infogeo.report.page import write

__all__ = ["write", "write_comparison", "write_dimension"]
