"""`infogeo embed`, `project` and `info`, through the shell, on files as they come."""

import csv
import json
import re

import numpy as np
import pytest

import infogeo
from infogeo.cli.mapdir import read_map
from tests.cli.shell import infogeo as shell
from tests.cli.shell import refused
from tests.samples import ring, trajectories


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Predictions as files: one .npy per run, labels and a metadata table."""
    root = tmp_path_factory.mktemp("input")
    predictions = trajectories()
    (root / "runs").mkdir()
    for run in predictions.points.runs:
        rows = predictions.points["run"] == run
        np.save(root / "runs" / f"{run}.npy", np.exp(predictions.log_probs[rows]))
    np.save(root / "labels.npy", predictions.labels)
    (root / "meta.csv").write_text("run,arch\nnet-0,conv\nnet-1,mlp\nnet-2,conv\nnet-3,mlp\n")
    return root


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "map"
    process = shell(
        "embed", folder / "runs", "--labels", folder / "labels.npy", "--meta", folder / "meta.csv",
        "--components", 4, "--out", out,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return out, process


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_embed_tells_its_plan_and_its_verdict_and_prints_where_the_report_is(made):
    out, process = made
    assert process.stdout.strip() == str(out / "report.html")
    assert "plan: 24 points, 30 samples, 3 classes" in process.stderr
    assert "read as probabilities: 4 arrays" in process.stderr
    assert "With the examples of each class shuffled" in process.stderr
    names = {p.name for p in out.iterdir()}
    assert names == {"embedding.csv", "spectrum.csv", "divergence.zarr", "report.html", "provenance.json"}


def test_the_tables_hold_the_numbers_of_the_library(made, folder):
    out, _ = made
    predictions = infogeo.load(folder / "runs", labels=folder / "labels.npy", meta=folder / "meta.csv")
    expected = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya(), n_components=4)
    rows = table(out / "embedding.csv")
    assert list(rows[0]) == ["run", "step", "arch", "accuracy", "loss", "x1", "x2", "x3", "x4"]
    coords = np.array([[float(row[f"x{k}"]) for k in range(1, 5)] for row in rows])
    assert np.array_equal(coords[:24], expected.embedding.coords)
    assert np.array_equal(coords[24:], expected.references.coords)
    assert [row["run"] for row in rows[24:]] == ["ignorance", "truth"]
    spectrum = table(out / "spectrum.csv")
    assert [float(r["eigenvalue"]) for r in spectrum] == expected.embedding.eigenvalues.tolist()
    assert [int(r["signature"]) for r in spectrum] == expected.embedding.signature.tolist()


def test_a_map_is_read_back_bit_for_bit(made, folder):
    embedding, references, provenance = read_map(made[0])
    predictions = infogeo.load(folder / "runs", labels=folder / "labels.npy")
    expected = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya(), n_components=4).embedding
    assert np.array_equal(embedding.coords, expected.coords)
    assert np.array_equal(embedding.explained_stress, expected.explained_stress)
    assert references is not None
    assert references.points.runs == ["ignorance", "truth"]
    assert provenance["points (P)"] == 24
    assert provenance["divergence"]["name"] == "Bhattacharyya"


def test_provenance_tells_command_versions_and_fingerprints(made):
    provenance = json.loads((made[0] / "provenance.json").read_text())
    assert provenance["command"].startswith("infogeo embed")
    assert provenance["versions"]["infogeo"] == infogeo.__version__
    assert set(provenance["fingerprints of runs"]) == {"net-0", "net-1", "net-2", "net-3"}
    assert provenance["divergence"]["scale"].startswith("0.125 times the squared Fisher distance")


def test_projected_runs_of_the_map_land_on_themselves(made, folder, tmp_path):
    process = shell("project", made[0], folder / "runs" / "net-1.npy", "--out", tmp_path / "p")
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == str(tmp_path / "p" / "report.html")
    fitted = [row for row in table(made[0] / "embedding.csv") if row["run"] == "net-1"]
    placed = table(tmp_path / "p" / "projection.csv")
    embedding, _, _ = read_map(made[0])
    # each divergence is off by 1e-6 at most, and x = b U / sqrt|lambda|: sqrt(P) 1e-6 / sqrt|lambda|
    bound = np.sqrt(24) * 1e-6 / np.sqrt(np.abs(embedding.eigenvalues))
    for k in range(4):
        difference = [abs(float(a[f"x{k + 1}"]) - float(b[f"x{k + 1}"])) for a, b in zip(fitted, placed, strict=True)]
        assert max(difference) <= bound[k]
    assert float(placed[-1]["accuracy"]) == float(fitted[-1]["accuracy"])


def test_projected_runs_have_the_steps_of_the_map_where_these_fit(folder, tmp_path):
    """A list of steps given to `embed` goes for new runs of that length as well, and for no others."""
    (tmp_path / "steps.json").write_text("[0, 1, 2, 5, 10, 50]")
    made = shell(
        "embed", folder / "runs", "--steps", tmp_path / "steps.json", "--null", "none", "--out", tmp_path / "m"
    )
    assert made.returncode == 0, made.stderr
    values = np.load(folder / "runs" / "net-1.npy")
    np.save(tmp_path / "new.npy", values)
    np.save(tmp_path / "short.npy", values[:4])
    for name, steps in (("new", [0, 1, 2, 5, 10, 50]), ("short", [0, 1, 2, 3])):
        done = shell("project", tmp_path / "m", tmp_path / f"{name}.npy", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert [int(row["step"]) for row in table(tmp_path / name / "projection.csv")] == steps


def test_project_needs_the_predictions_of_the_map_unchanged(folder, tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    for name in ("net-0", "net-1"):
        (runs / f"{name}.npy").write_bytes((folder / "runs" / f"{name}.npy").read_bytes())
    assert shell("embed", runs, "--null", "none", "--out", tmp_path / "map", "--quiet").returncode == 0
    runs.rename(tmp_path / "moved")
    new = folder / "runs" / "net-2.npy"
    refused(shell("project", tmp_path / "map", new, "--out", tmp_path / "p"), "say where with --fitted")
    found = shell("project", tmp_path / "map", new, "--fitted", tmp_path / "moved", "--out", tmp_path / "p")
    assert found.returncode == 0, found.stderr
    np.save(tmp_path / "moved" / "net-0.npy", np.load(tmp_path / "moved" / "net-0.npy")[:, ::-1])
    again = shell("project", tmp_path / "map", new, "--fitted", tmp_path / "moved", "--out", tmp_path / "q")
    refused(again, "has changed since")
    assert not (tmp_path / "q").exists()


def test_project_notices_labels_that_have_changed(made, folder, tmp_path):
    runs, labels = tmp_path / "runs", tmp_path / "labels.npy"
    runs.mkdir()
    (runs / "net-0.npy").write_bytes((folder / "runs" / "net-0.npy").read_bytes())
    labels.write_bytes((folder / "labels.npy").read_bytes())
    assert shell("embed", runs, "--labels", labels, "--null", "none", "--out", tmp_path / "map", "-q").returncode == 0
    np.save(labels, np.roll(np.load(labels), 1))
    new = folder / "runs" / "net-1.npy"
    refused(shell("project", tmp_path / "map", new, "--out", tmp_path / "p"), "labels.npy: is missing or has changed")


@pytest.mark.parametrize("form", ["npy", "npz", "csv"])
def test_a_matrix_makes_a_map_too(tmp_path, form):
    matrix = infogeo.pairwise_divergence(trajectories(), infogeo.Bhattacharyya()).to_numpy()
    file = tmp_path / f"d.{form}"
    if form == "csv":
        np.savetxt(file, matrix, delimiter=",")
    elif form == "npz":
        np.savez(file, d=matrix)
    else:
        np.save(file, matrix)
    rows = [f"net-{i // 6},{i % 6},{'conv' if i < 12 else 'mlp'}" for i in range(24)]
    (tmp_path / "points.csv").write_text("run,step,arch\n" + "\n".join(rows))
    process = shell("embed", "--matrix", file, "--meta", tmp_path / "points.csv", "--out", tmp_path / "map")
    assert process.returncode == 0, process.stderr
    written = table(tmp_path / "map" / "embedding.csv")
    assert [row["arch"] for row in written] == ["conv"] * 12 + ["mlp"] * 12
    expected = infogeo.inpca(infogeo.PairwiseMatrix.from_array(matrix))
    assert float(written[3]["x1"]) == pytest.approx(expected.coords[3, 0], rel=1e-9)


def test_an_eigensolver_that_did_not_converge_is_told_in_shell_report_and_provenance(tmp_path):
    np.save(tmp_path / "d.npy", ring())
    process = shell("embed", "--matrix", tmp_path / "d.npy", "--components", 2, "--out", tmp_path / "map")
    assert process.returncode == 0, process.stderr
    embedding, _, provenance = read_map(tmp_path / "map")
    assert "The eigensolver did not converge" in embedding.warning
    assert embedding.warning in process.stderr
    assert embedding.warning in (tmp_path / "map" / "report.html").read_text(encoding="utf-8")
    assert provenance["embedding"]["converged"] is False


def test_info_says_what_is_there(folder):
    process = shell("info", folder / "runs", "--labels", folder / "labels.npy", "--meta", folder / "meta.csv")
    assert process.returncode == 0, process.stderr
    assert "4 runs, 24 checkpoints, 30 samples, 3 classes" in process.stdout
    assert "labels: known" in process.stdout
    assert "net-3" in process.stdout
    assert "conv" in process.stdout


def test_quiet_prints_the_result_alone(folder, tmp_path):
    process = shell("embed", folder / "runs", "--quiet", "--out", tmp_path / "map")
    assert process.stderr == ""
    assert process.stdout.strip() == str(tmp_path / "map" / "report.html")


def test_the_smallest_input_makes_a_map(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[[0.5, 0.5]], [[0.9, 0.1]]]))
    process = shell("embed", tmp_path / "a.npy", "--out", tmp_path / "map")
    assert process.returncode == 0, process.stderr
    assert len(table(tmp_path / "map" / "embedding.csv")) == 3


@pytest.fixture(scope="module")
def more(tmp_path_factory):
    """Enough samples for groups, and runs of different lengths."""
    root = tmp_path_factory.mktemp("more")
    (root / "runs").mkdir()
    predictions = trajectories(samples=80)
    for i, run in enumerate(predictions.points.runs):
        rows = np.flatnonzero(predictions.points["run"] == run)
        np.save(root / "runs" / f"{run}.npy", predictions.log_probs[rows[: 6 - i]])
    (root / "meta.csv").write_text("run,arch\nnet-0,conv\nnet-1,mlp\nnet-2,conv\nnet-3,mlp\n")
    np.save(root / "labels.npy", predictions.labels)
    return root


def test_errors_are_told_and_kept_in_tables(more, tmp_path):
    process = shell("embed", more / "runs", "--labels", more / "labels.npy", "--errors", "--components", 3,
                    "--out", tmp_path / "map")  # fmt: skip
    assert process.returncode == 0, process.stderr
    assert re.search(
        r"explained stress of 1, 2 and 3 axes: [\d.]+ ± [\d.]+ %, .* \(95 %, over samples\)", process.stderr
    )
    predictions = infogeo.load(more / "runs", labels=more / "labels.npy")
    expected = infogeo.embed_predictions(predictions, infogeo.Bhattacharyya(), 3, groups=16).errors
    assert expected is not None
    spectrum, errors = table(tmp_path / "map" / "spectrum.csv"), table(tmp_path / "map" / "errors.csv")
    assert [float(row["eigenvalue_error"]) for row in spectrum] == expected.eigenvalues.tolist()
    assert [float(row["explained_stress_error"]) for row in spectrum] == expected.explained_stress.tolist()
    assert [[float(row[f"x{k}"]) for k in (1, 2, 3)] for row in errors] == expected.coords.tolist()
    assert min(expected.eigenvalues) > 0


@pytest.mark.parametrize("rule", ["runs", "arc-length", "arch"])
def test_a_weighted_map_is_read_back_and_projected_on_as_it_was_made(more, tmp_path, rule):
    out = tmp_path / "map"
    process = shell(
        "embed", more / "runs", "--meta", more / "meta.csv", "--weights", rule, "--null", "none", "--out", out
    )
    assert process.returncode == 0, process.stderr
    rules = {"runs": infogeo.EqualRuns(), "arc-length": infogeo.ByArcLength(), "arch": infogeo.EqualGroups("arch")}
    predictions = infogeo.load(more / "runs", meta=more / "meta.csv")
    matrix = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya())
    expected = infogeo.inpca(matrix, weights=rules[rule])
    embedding, _, provenance = read_map(out)
    assert provenance["embedding"]["weights"] == rule
    assert np.array_equal(embedding.coords, expected.coords)
    assert np.array_equal(embedding.weights, expected.weights)
    assert np.array_equal(embedding.project(matrix), expected.project(matrix))
    assert not np.allclose(expected.explained_stress, infogeo.inpca(matrix).explained_stress)


@pytest.mark.parametrize("null", ["within-class", "step-shuffle", "dirichlet", "geodesic"])
def test_every_null_can_be_asked_for_and_is_named(more, tmp_path, null):
    out = tmp_path / "map"
    process = shell("embed", more / "runs", "--labels", more / "labels.npy", "--null", null, "--out", out)
    assert process.returncode == 0, process.stderr
    assert json.loads((out / "provenance.json").read_text())["null"] is not None
    assert "they still explain" in process.stderr
    assert float(table(out / "spectrum.csv")[0]["null_explained_stress"]) > 0


def test_without_labels_the_null_is_random_predictions_of_the_same_confidence(more, tmp_path):
    process = shell("embed", more / "runs", "--out", tmp_path / "map")
    provenance = json.loads((tmp_path / "map" / "provenance.json").read_text())
    assert provenance["null"] == infogeo.DirichletModels().name
    assert "they still explain" in process.stderr
    bare = shell("embed", more / "runs", "--null", "none", "--out", tmp_path / "bare")
    assert bare.returncode == 0
    assert "null_explained_stress" not in table(tmp_path / "bare" / "spectrum.csv")[0]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--divergence", "renyi", "--alpha", "0.3"], "Renyi(0.3)"),
        (["--divergence", "jensen-shannon"], "Jensen-Shannon"),
        (["--divergence", "fisher-rao"], "squared Fisher-Rao"),
        (["--divergence", "euclidean"], "squared Euclidean"),
    ],
)
def test_a_map_of_every_divergence_takes_new_predictions(more, tmp_path, options, name):
    process = shell("embed", more / "runs", *options, "--null", "none", "--out", tmp_path / "map")
    assert process.returncode == 0, process.stderr
    placed = shell("project", tmp_path / "map", more / "runs" / "net-1.npy", "--out", tmp_path / "p")
    assert placed.returncode == 0, placed.stderr
    assert json.loads((tmp_path / "p" / "provenance.json").read_text())["divergence"]["name"] == name
