"""The dimension of data beside that of a null, on the same points."""

import numpy as np
import pytest

import infogeo
from infogeo.core.errors import InputError


def models(n_points=60, n_samples=24, seed=0):
    """A cloud of models with two parameters, and labels."""
    random = np.random.default_rng(seed)
    z = random.uniform(-1, 1, size=(n_points, 2))
    logits = np.einsum("pd,dnc->pnc", z, random.normal(size=(2, n_samples, 3)))
    labels = np.arange(n_samples) % 3
    runs = {f"p{i}": block[None] for i, block in enumerate(logits)}
    return infogeo.Predictions.from_arrays(runs, kind="logits", labels=labels)


def test_shuffled_models_have_many_dimensions_where_the_data_have_two():
    predictions = models()
    ends = []
    found = infogeo.dimension_null(
        predictions, infogeo.Bhattacharyya(), replicates=3, progress=lambda done, total: ends.append((done, total))
    )
    assert ends == [(1, 3), (2, 3), (3, 3)]
    assert len(found.curves) == 3
    # each model is shuffled in its own way: 60 points in general position
    assert all(curve.values[0] > 2 * found.data.values[0] for curve in found.curves)
    matrix = infogeo.pairwise_divergence(predictions, infogeo.Bhattacharyya())
    np.testing.assert_allclose(found.explained_stress[:10], infogeo.inpca(matrix, 20).explained_stress[:10], atol=1e-9)
    study = infogeo.dimension_study(matrix, null=found)
    assert study.null is found


def test_a_null_has_a_seed():
    first, again, other = (
        infogeo.dimension_null(models(), infogeo.Bhattacharyya(), replicates=1, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.curves[0].values, again.curves[0].values)
    assert (first.curves[0].values != other.curves[0].values).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replicates": 0}, "replicates: 0; give at least 1"),
        ({"null": "within-class"}, "null: is the text"),
        ({"divergence": None}, "divergence: is missing"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        infogeo.dimension_null(models(6), **{"divergence": infogeo.Bhattacharyya(), **arguments})
