"""The same question put to scikit-dimension and to DADApy, which are no dependencies of infogeo.

scikit-dimension is imported here; DADApy 0.3.4 is built for NumPy 1 and runs in a Python of its own, whose path the
environment variable DADAPY_PYTHON gives: it gets distance matrices in a file and answers with JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.spatial.distance import pdist, squareform

from infogeo.dimension import Gride, MaximumLikelihood, TwoNN, estimate_dimension
from infogeo.dimension.correlation import CorrelationDimension
from infogeo.pairwise import PairwiseMatrix

Array = NDArray[np.float64]

INSTALL = (
    "--peers needs scikit-dimension beside infogeo: pip install scikit-dimension==0.5.0 pandas (and for DADApy: "
    "python -m venv D && D/bin/pip install dadapy==0.3.4 && export DADAPY_PYTHON=D/bin/python)"
)
NEIGHBOURS = 20
"""For every estimator of theirs that has local neighbourhoods, so that all look at one scale."""
LARGE = 50
"""For local PCA, which needs more neighbours than dimensions."""
SHARE = 0.05
"""Of points that are repeated."""
DADAPY = """
import io, json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from contextlib import redirect_stdout
from dadapy import IdEstimation
found = {}
for name, distances in np.load(sys.argv[1]).items():
    own, data = {}, IdEstimation(distances=distances, n_jobs=1)
    for label, call in {
        "DADApy 2NN, line": lambda: data.compute_id_2NN()[0],
        "DADApy 2NN, likelihood": lambda: data.compute_id_2NN(algorithm="ml")[0],
        **{f"DADApy Gride {2**j}": (lambda j=j: data.return_id_scaling_gride(range_max=32)[0][j]) for j in (1, 2, 3)},
    }.items():
        try:
            with redirect_stdout(io.StringIO()):
                own[label] = float(call())
        except Exception as error:
            own[label] = f"{type(error).__name__}: {error}"[:100]
    found[name] = own
print(json.dumps(found))
"""


def is_missing() -> bool:
    """Whether scikit-dimension cannot be imported."""
    try:
        import skdim  # noqa: F401
    except ImportError:
        return True
    return False


def skdim_methods(slow: bool) -> dict[str, Callable[[Array], float]]:
    """From coordinates [P, n] to a dimension, by name."""
    from skdim import id as theirs

    methods: dict[str, Callable[[Array], float]] = {
        "skdim TwoNN, line": lambda x: theirs.TwoNN().fit(x).dimension_,
        "skdim TwoNN, likelihood": lambda x: theirs.TwoNN(discard_fraction=0, method="mle").fit(x).dimension_,
        "skdim MLE 20": lambda x: theirs.MLE().fit(x, n_neighbors=NEIGHBOURS, comb="mle").dimension_,
        "skdim Gride 2": lambda x: theirs.GRIDE(n1=2).fit(x).dimension_,
        "skdim CorrInt": lambda x: theirs.CorrInt().fit(x).dimension_,
        "skdim MOM 20": lambda x: theirs.MOM().fit(x, n_neighbors=NEIGHBOURS).dimension_,
        "skdim TLE 20": lambda x: theirs.TLE().fit(x, n_neighbors=NEIGHBOURS).dimension_,
        "skdim FisherS": lambda x: theirs.FisherS().fit(x).dimension_,
        "skdim lPCA 50": lambda x: np.mean(theirs.lPCA().fit_pw(x, n_neighbors=LARGE).dimension_pw_),
    }
    if slow:
        methods["skdim DANCo"] = lambda x: theirs.DANCo(random_state=0).fit(x).dimension_
        methods["skdim ESS 20"] = lambda x: theirs.ESS(random_state=0).fit(x, n_neighbors=NEIGHBOURS).dimension_
    return methods


def asked(call: Callable[[], float]) -> tuple[float | str, float]:
    """What it returns, or how it fails, and the seconds that it takes."""
    start = perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value: float | str = float(call())
        except Exception as error:
            value = f"{type(error).__name__}: {error}"[:100]
    return value, perf_counter() - start


def by_dadapy(distances: dict[str, Array]) -> dict[str, dict[str, float | str]]:
    """By DADApy's methods, from square matrices of distances; nothing where it is not installed."""
    python = os.environ.get("DADAPY_PYTHON")
    if not python:
        return {name: {} for name in distances}
    with TemporaryDirectory() as folder:
        np.savez(Path(folder, "distances.npz"), **distances)  # pyright: ignore
        child = subprocess.run(
            [python, "-c", DADAPY, f"{folder}/distances.npz"], capture_output=True, text=True, check=True
        )
    return json.loads(child.stdout.splitlines()[-1])


def agreement(n_points: int) -> list[dict[str, Any]]:
    """The same method by both on one cloud: to how much they agree, and to how much once the difference is undone."""
    from skdim import id as theirs

    x = np.random.default_rng(0).uniform(size=(n_points, 5))
    distances = squareform(pdist(x))
    matrix = PairwiseMatrix.from_array(distances**2)
    near = np.sort(distances, axis=1)[:, 1:]
    dadapy = by_dadapy({"cloud": distances})["cloud"]
    ours = {name: estimate_dimension(matrix, method).value for name, method in _SAME.items()}
    radii = (float(np.median(near[:, 9])), float(np.median(near[:, 19])))
    ours["correlation"] = estimate_dimension(matrix, CorrelationDimension(radii)).value
    undone = {"TwoNN": ours["TwoNN"], "MLE 20": ours["MLE 20"] / (1 - 1 / (n_points * (NEIGHBOURS - 1)))}
    undone |= {f"Gride {n}": _with_one_less(Gride(n), near[:, : 2 * n]) for n in (2, 4)}
    same, line = "the same formula", "theirs fits a line to the distribution of ratios, without the largest tenth"
    less, gride = "ours is less by the bias 1 / (M (k - 1))", "their likelihood has (M - 1) log d, ours M log d"
    bins = "at the radii of theirs; ours go to the next bin, of 0.4 to 0.8 %"
    mle = theirs.MLE().fit(x, precomputed_knn_arrays=(near[:, :NEIGHBOURS], None), comb="mle").dimension_
    pairs = [
        ("TwoNN", "skdim, likelihood", theirs.TwoNN(0, True, "mle").fit(near[:, :2]).dimension_, same),
        ("TwoNN", "skdim, line", theirs.TwoNN(dist=True).fit(near[:, :2]).dimension_, line),
        ("MLE 20", "skdim", mle, less),
        ("Gride 2", "skdim", theirs.GRIDE(n1=2).fit(x).dimension_, gride),
        ("Gride 4", "skdim", theirs.GRIDE(n1=4).fit(x).dimension_, gride),
        ("correlation", "skdim CorrInt", theirs.CorrInt(DM=True).fit(distances).dimension_, bins),
        ("TwoNN", "DADApy, likelihood", dadapy.get("DADApy 2NN, likelihood"), same),
        ("TwoNN", "DADApy, line", dadapy.get("DADApy 2NN, line"), line),
        ("Gride 2", "DADApy", dadapy.get("DADApy Gride 2"), gride),
        ("Gride 4", "DADApy", dadapy.get("DADApy Gride 4"), gride),
    ]
    return [
        {
            "ours": name,
            "theirs": who,
            "our value": ours[name],
            "their value": value,
            "relative difference": abs(value / ours[name] - 1),
            "with that undone": abs(value / undone[name] - 1) if name in undone and why is not line else None,
            "why": why,
        }
        for name, who, value, why in pairs
        if isinstance(value, float)
    ]


def _with_one_less(method: Gride, near: Array) -> float:
    """The root of the estimating equation less 1 / d: the convention of DADApy, which scikit-dimension follows."""
    return float(brentq(lambda d: float(method.score(near, d).sum()) - 1 / d, 0.1, 1000.0, xtol=1e-13))


_SAME = {"TwoNN": TwoNN(), "MLE 20": MaximumLikelihood(NEIGHBOURS), "Gride 2": Gride(2), "Gride 4": Gride(4)}


def duplicates(n_points: int) -> list[dict[str, Any]]:
    """A cloud of 5 dimensions without and with 5 % of its points twice: what does each return?"""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(n_points, 5))
    doubled = np.concatenate([x, x[rng.choice(n_points, round(SHARE * n_points), replace=False)]])
    clouds = {"plain": x, "doubled": doubled}
    distances = {name: squareform(pdist(cloud)) for name, cloud in clouds.items()}
    found: dict[str, dict[str, Any]] = {}
    for name, method in {**_SAME, "correlation": CorrelationDimension()}.items():
        own = {c: estimate_dimension(PairwiseMatrix.from_array(d**2), method) for c, d in distances.items()}
        told = f"drops {own['doubled'].excluded} points and says so"
        found[name] = {**{c: estimate.value for c, estimate in own.items()}, "says": told}
    for name, method in skdim_methods(slow=False).items():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found[name] = {c: _quiet(method, cloud) for c, cloud in clouds.items()}
        found[name]["says"] = "; ".join(dict.fromkeys(str(warning.message)[:100] for warning in told))
    for cloud, answers in by_dadapy(distances).items():
        for name, value in answers.items():
            found.setdefault(name, {"says": ""})[cloud] = value
    return [{"estimator": name, **answer} for name, answer in found.items()]


def _quiet(method: Callable[[Array], float], x: Array) -> float | str:
    try:
        return float(method(x))
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:100]
