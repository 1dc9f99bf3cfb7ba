"""An argument of the wrong type is one line that says how to make the right one."""

import numpy as np
import pytest

import infogeo
from tests.samples import trajectories

BHATTACHARYYA = infogeo.Bhattacharyya()
LOADED = r"give Predictions: infogeo.load\(paths\) or Predictions.from_arrays"
MATRIX = r"give a PairwiseMatrix: PairwiseMatrix.from_array\(values\) makes one"
EMBEDDING = r"give an Embedding: infogeo.inpca\(matrix\) makes one"


@pytest.fixture(scope="module")
def made():
    return infogeo.embed_predictions(trajectories(), BHATTACHARYYA)


MISTAKES = {
    "a bare array to embed": (lambda m: infogeo.inpca(np.eye(3)), rf"matrix: is an array of shape \(3, 3\); {MATRIX}"),
    "a map to embed": (infogeo.inpca, "matrix: is of the type Map; give its .matrix"),
    "components as text": (
        lambda m: infogeo.inpca(m.matrix, "3"),
        "n_components: is the text '3'; give a whole number",
    ),
    "half a component": (lambda m: infogeo.inpca(m.matrix, 2.5), "n_components: is 2.5; give a whole number from 1 on"),
    "weights by name": (lambda m: infogeo.inpca(m.matrix, weights="runs"), r"weights: is the text 'runs'; give EqualR"),
    "weights as a class": (
        lambda m: infogeo.inpca(m.matrix, weights=infogeo.EqualRuns),
        "weights: is the class EqualR",
    ),
    "a null by name": (
        lambda m: infogeo.explained_stress_null(trajectories(), BHATTACHARYYA, null="step-shuffle"),
        r"null: is the text 'step-shuffle'; give one of WithinClassShuffle\(\), StepShuffle\(\), DirichletModels\(\)",
    ),
    "a null as a class": (
        lambda m: infogeo.explained_stress_null(trajectories(), BHATTACHARYYA, null=infogeo.StepShuffle),
        r"null: is the class StepShuffle itself, without \(\)",
    ),
    "a null of a matrix": (
        lambda m: infogeo.explained_stress_null(m.matrix, BHATTACHARYYA),
        f"predictions: .*{LOADED}",
    ),
    "a divergence by name": (
        lambda m: infogeo.pairwise_divergence(trajectories(), "hellinger"),
        r"divergence: is the text 'hellinger'; give one of Bhattacharyya\(\), Hellinger\(\)",
    ),
    "a divergence as a class": (
        lambda m: infogeo.embed_predictions(trajectories(), infogeo.Bhattacharyya),
        "divergence: is the class Bhattacharyya itself",
    ),
    "divergences of a path": (
        lambda m: infogeo.pairwise_divergence("runs/", BHATTACHARYYA),
        f"predictions: .*{LOADED}",
    ),
    "divergences to an array": (
        lambda m: infogeo.pairwise_divergence(trajectories(), BHATTACHARYYA, to=np.ones((1, 30, 3))),
        f"to: .*{LOADED}",
    ),
    "groups of a matrix": (lambda m: infogeo.divergence_by_groups(m.matrix, BHATTACHARYYA), f"predictions: .*{LOADED}"),
    "errors of a matrix": (lambda m: infogeo.embedding_errors(m.matrix), "groups: .*give SampleGroups"),
    "residuals of an array": (lambda m: infogeo.residuals(np.eye(3), m.embedding), f"matrix: .*{MATRIX}"),
    "residuals on a map": (lambda m: infogeo.residuals(m.matrix, m), "embedding: is of the type Map; give its .embedd"),
    "a group of an array": (lambda m: infogeo.stress_of_group(np.eye(3), fit=[0, 1], on=[1, 2]), f"matrix: .*{MATRIX}"),
    "placed on a matrix": (
        lambda m: infogeo.place(m.matrix, trajectories(), trajectories(), BHATTACHARYYA),
        f"made: .*{EMBEDDING}",
    ),
    "placed arrays": (
        lambda m: infogeo.place(m, np.ones((1, 30, 3)), trajectories(), BHATTACHARYYA),
        f"new: .*{LOADED}",
    ),
    "projected predictions": (
        lambda m: m.embedding.project(trajectories()),
        r"rows: is of the type Predictions; give divergences \[Q, P\]",
    ),
    "anchors of a matrix": (lambda m: infogeo.anchors(m.matrix), f"predictions: .*{LOADED}"),
    "an array of runs": (
        lambda m: infogeo.Predictions.from_arrays(np.ones((1, 3, 2))),
        r"runs: .*give \{run name: arr",
    ),
    "points as numbers": (
        lambda m: infogeo.PairwiseMatrix.from_array(1 - np.eye(3), points=np.arange(3)),
        "points: .*give Points",
    ),
    "a matrix of a matrix": (lambda m: infogeo.PairwiseMatrix.from_array(m.matrix), "matrix: is of the type PairwiseM"),
    "a report of a map": (
        lambda m: infogeo.report.write("x.html", m),
        "embedding: is of the type Map; give its .embed",
    ),
    "a report, the wrong way round": (
        lambda m: infogeo.report.write(m.embedding, "x.html"),
        "path: is of the type Embedding; give the name of an .html file first",
    ),
    "a report with an array": (
        lambda m: infogeo.report.write("x.html", m.embedding, matrix=np.eye(24)),
        f"matrix: .*{MATRIX}",
    ),
    "a comparison's page of a map": (
        lambda m: infogeo.report.write_comparison("x.html", m.embedding),
        r"comparison: .*give a Comparison: infogeo.compare_runs",
    ),
    "a picture of a map": (
        lambda m: infogeo.plots.trajectories(m),
        "embedding: is of the type Map; give its .embedding",
    ),
    "a spectrum of a matrix": (lambda m: infogeo.plots.spectrum(m.matrix), f"embedding: .*{EMBEDDING}"),
    "a heat map of an array": (lambda m: infogeo.plots.matrix(np.eye(3)), f"matrix: .*{MATRIX}"),
    "curves of a map": (lambda m: infogeo.plots.learning_curves(m.embedding, "step"), "give its .points"),
    "a misfit of a matrix": (lambda m: infogeo.plots.misfit_by_run(m.matrix), "residuals: .*give Residuals"),
    "a tree of a matrix": (lambda m: infogeo.plots.dendrogram(m.matrix), "comparison: .*give a Comparison"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_of_the_wrong_type_is_refused_with_how_to_make_it(made, mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, message = MISTAKES[mistake]
    with pytest.raises(infogeo.InputError, match=message) as refusal:
        call(made)
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_whole_numbers_of_numpy_are_whole_numbers(made):
    assert infogeo.inpca(made.matrix, np.int64(2)).n_components == 2
