"""scikit-dimension's benchmark manifolds: our estimators from distances beside theirs and DADApy's."""

from __future__ import annotations

from typing import Any

from scipy.spatial.distance import pdist, squareform

from benchmarks.dimension.estimators import covers, of_cloud, of_spectrum
from benchmarks.dimension.peers import asked, by_dadapy, skdim_methods
from infogeo.pairwise import PairwiseMatrix

NAMES = (
    "M1_Sphere", "M2_Affine_3to5", "M3_Nonlinear_4to6", "M4_Nonlinear", "M5b_Helix2d", "M6_Nonlinear", "M7_Roll",
    "M8_Nonlinear", "M9_Affine", "M10a_Cubic", "M11_Moebius", "M12_Norm", "M13a_Scurve", "Mbeta", "Mp1_Paraboloid",
)  # fmt: skip
SLOW_UP_TO = 1000
"""Points at which DANCo and ESS are asked too, and our spectra with their jackknife: seconds each."""


def measure(sizes: tuple[int, ...], slow: bool) -> list[dict[str, Any]]:
    """One row per manifold, number of points and estimator: value, and for ours error and whether the truth is in."""
    from skdim.datasets import BenchmarkManifolds

    rows = []
    for size in sizes:
        makers = BenchmarkManifolds(random_state=0)
        clouds = {}
        for name in NAMES:
            d, n, _ = makers._dict_truth[name]
            clouds[name] = makers.generate(name, n=size, dim=n, d=d)
        theirs = by_dadapy({name: squareform(pdist(x)) for name, x in clouds.items()})
        for name, x in clouds.items():
            base = {"manifold": name, "points": size, "truth": makers._dict_truth[name][0]}
            matrix = PairwiseMatrix.from_array(squareform(pdist(x, "sqeuclidean")))
            spectral = of_spectrum(matrix) if size <= SLOW_UP_TO else []
            for found in [*of_cloud(matrix), *spectral]:
                estimate = found.estimate
                own = {"value": estimate.value, "error": estimate.standard_error, "seconds": found.seconds}
                rows.append({**base, "estimator": found.estimator, **own, "covers": covers(estimate, base["truth"])})
            for label, method in skdim_methods(slow and size <= SLOW_UP_TO).items():
                value, seconds = asked(lambda method=method, x=x: method(x))
                rows.append({**base, "estimator": label, "value": value, "seconds": seconds})
            rows += [{**base, "estimator": label, "value": value} for label, value in theirs[name].items()]
        print(f"  manifolds of {size} points are done", flush=True)
    return rows
