"""JAX: plain parameters and optax, flax and equinox."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import infogeo
from infogeo.recorders.jax import predictions
from tests.recorders.digits import data, learned, recorder


def train(params, apply, log, steps=40):
    """Adam on cross-entropy; `apply(params, x)` gives logits."""
    x, y, *_ = data()
    optimiser = optax.adam(3e-2)

    @jax.jit
    def update(params, state):
        gradient = jax.grad(lambda p: optax.softmax_cross_entropy_with_integer_labels(apply(p, x), y).mean())(params)
        change, state = optimiser.update(gradient, state)
        return optax.apply_updates(params, change), state

    state = optimiser.init(params)
    for step in range(steps + 1):
        log(step, params)
        params, state = update(params, state)


def test_a_plain_loop_is_recorded(tmp_path):
    probe = data()[2]
    params = {"w": jnp.zeros((64, 10)), "b": jnp.zeros(10)}

    def apply(params, x):
        return x @ params["w"] + params["b"]

    asked = jax.jit(apply)
    with recorder(tmp_path / "s", schedule=infogeo.EverySteps(20)) as record:
        train(params, apply, lambda step, p: record.log(step, lambda: predictions(lambda x: asked(p, x), probe, 16)))
    assert learned(tmp_path / "s") == [0, 20, 40]


def test_flax_is_recorded(tmp_path):
    linen = pytest.importorskip("flax.linen", reason="needs flax: pip install flax")
    probe = data()[2]

    class Network(linen.Module):
        @linen.compact
        def __call__(self, x, deterministic=True):
            return linen.Dense(10)(linen.Dropout(0.5, deterministic=deterministic)(linen.relu(linen.Dense(16)(x))))

    model = Network()
    params = model.init(jax.random.key(0), probe)
    with recorder(tmp_path / "s", schedule=infogeo.EverySteps(20)) as record:
        train(params, model.apply, lambda step, p: record.log(step, lambda: model.apply(p, probe)))
    assert learned(tmp_path / "s") == [0, 20, 40]


def test_equinox_is_recorded(tmp_path):
    equinox = pytest.importorskip("equinox", reason="needs equinox: pip install equinox")
    probe = data()[2]
    model = equinox.nn.MLP(64, 10, 16, 1, key=jax.random.key(0))
    params, rest = equinox.partition(model, equinox.is_array)

    def apply(params, x):
        return jax.vmap(equinox.combine(params, rest))(x)

    with recorder(tmp_path / "s", schedule=infogeo.EverySteps(20)) as record:
        train(params, apply, lambda step, p: record.log(step, lambda: apply(p, probe)))
    assert learned(tmp_path / "s") == [0, 20, 40]


@pytest.mark.parametrize("size", [1, 7, 60, 1000])
def test_batches_have_one_size_and_together_all_samples(size):
    seen = []

    def function(x):
        seen.append(x.shape)
        return x[:, :3] * 2

    probe = data()[2]
    assert np.array_equal(predictions(function, probe, size), probe[:, :3] * 2)
    assert set(seen) == {(min(size, 60), 64)}


def test_an_output_that_is_no_prediction_is_refused():
    with pytest.raises(infogeo.InputError, match=r"function: gives \(60,\) for 60 inputs, expected \[60, C\]"):
        predictions(lambda x: x[:, 0], data()[2])


@pytest.mark.parametrize(
    ("inputs", "size", "said"),
    [
        (np.zeros((0, 3)), 4, "expected the same number, at least one"),
        ((np.zeros((3, 2)), np.zeros((4, 2))), 4, r"parts have \[3, 4\] samples"),
        (np.zeros((3, 2)), 0, "batch_size: 0, expected at least 1"),
    ],
)
def test_inputs_that_make_no_batches_are_refused(inputs, size, said):
    with pytest.raises(infogeo.InputError, match=said):
        predictions(lambda *x: x[0], inputs, size)
