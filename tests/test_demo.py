"""The demonstration's networks: real, reproducible, and recorded from ignorance to the end of training."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.special import logsumexp

from infogeo import demo
from tests.reference.convolution import convolution

EPS = float(np.finfo(np.float32).eps)
EPOCHS = 8
LAST_STEP = 80  # 8 epochs of 10 minibatches
GROUP = demo.Group("mlp-narrow", "adam")
WIDE = demo.Group("mlp-wide", "adam")
CHANCE = 0.1 + 5 * 0.3 / np.sqrt(797)  # five standard errors of an accuracy of 0.1


def train(group: demo.Group = GROUP, seed: int = 0, epochs: int = EPOCHS) -> list[demo.TrainedRun]:
    return demo.train_group(group, demo.load_digits(), seed=seed, n_seeds=2, epochs=epochs)


@pytest.fixture(scope="module")
def digits() -> demo.Digits:
    return demo.load_digits()


@pytest.fixture(scope="module")
def runs() -> list[demo.TrainedRun]:
    return train()


def test_digits_are_split_once_and_centred_by_the_training_set(digits):
    assert digits.train_images.shape == (1000, 64)
    assert digits.test_images.shape == (797, 64)
    assert digits.train_images.dtype == np.float32
    assert digits.class_names == tuple("0123456789")
    # The float64 mean of each pixel is zero up to the rounding of its 1000 entries to float32.
    pixel_mean = digits.train_images.mean(axis=0, dtype=np.float64)
    assert np.abs(pixel_mean).max() <= EPS / 2 * np.abs(digits.train_images).max()


def test_digits_are_shuffled_by_the_seed_alone(digits):
    np.testing.assert_array_equal(digits.test_labels, demo.load_digits(0).test_labels)
    other = demo.load_digits(1)
    assert not np.array_equal(digits.train_labels, other.train_labels)
    first, second = (np.sort(np.concatenate([d.train_labels, d.test_labels])) for d in (digits, other))
    np.testing.assert_array_equal(first, second)


def test_every_run_of_the_demonstration_has_its_own_name_and_metadata():
    table = [row for group in demo.groups() for row in demo.run_metadata(group)]
    names = [demo.run_name(row) for row in table]
    assert len(set(names)) == len(names) == 72
    assert "conv/adam/wd0.001/seed2" in names
    assert "linear/sgd/wd0/seed0" in names
    columns = ["architecture", "optimiser", "weight_decay", "seed", "parameters"]
    assert all(list(row) == columns for row in table)


@pytest.mark.parametrize("architecture", demo.LAYER_SHAPES)
def test_the_parameters_column_counts_the_weights_and_biases(architecture):
    layers = demo.initial_layers(architecture, np.random.default_rng(0))
    counted = sum(leaf.size for leaf in jax.tree.leaves(layers))
    assert demo.run_metadata(demo.Group(architecture, "sgd"))[0]["parameters"] == counted


def test_checkpoints_are_distinct_and_log_spaced_from_the_untrained_network_to_the_last_step():
    steps = demo.checkpoint_steps(400)
    assert steps.dtype == np.int64
    assert len(steps) == 27
    assert (steps[0], steps[1], steps[-1]) == (0, 1, 400)
    gaps = np.diff(steps)
    assert gaps.min() >= 1
    # Rounding moves a step by at most 1/2, so a log gap beyond step 10 by at most log(10.5 / 9.5) = 0.10.
    log_gaps = np.diff(np.log(steps[steps >= 10]))
    assert np.abs(log_gaps - np.log(400) / (demo.CHECKPOINT_CANDIDATES - 1)).max() <= 0.10


def test_a_run_records_normalised_log_probabilities_at_every_checkpoint(runs):
    steps = demo.checkpoint_steps(LAST_STEP)
    assert [run.name for run in runs] == [
        "mlp-narrow/adam/wd0/seed0",
        "mlp-narrow/adam/wd0/seed1",
        "mlp-narrow/adam/wd0.001/seed0",
        "mlp-narrow/adam/wd0.001/seed1",
    ]
    for run in runs:
        np.testing.assert_array_equal(run.steps, steps)
        assert run.train_log_probs.shape == (len(steps), 1000, 10)
        assert run.test_log_probs.shape == (len(steps), 797, 10)
        for log_probs in (run.train_log_probs, run.test_log_probs):
            assert log_probs.dtype == np.float32
            # In eps: the exponentials (4), their sum of ten (9/2), its logarithm (2 log 10), the rounding of
            # entries, weighted by their probability (at most log(10) / 2): 14.3, so 16.
            assert np.abs(logsumexp(log_probs.astype(np.float64), axis=-1)).max() <= 16 * EPS


def test_untrained_networks_are_near_ignorance_but_not_alike(runs):
    first, second = (run.test_log_probs[0] for run in runs[:2])
    # Logits of standard deviation about 0.1 lie within 6 standard deviations of the uniform distribution.
    assert np.abs(first + np.log(10)).max() < 6 * 0.1 * 2
    assert np.abs(first - second).max() > 0.1


def test_networks_learn(runs, digits):
    for run in runs:
        accuracy = (run.test_log_probs.argmax(axis=-1) == digits.test_labels).mean(axis=-1)
        assert accuracy[0] < 0.35
        assert accuracy[-1] > 0.85


def test_runs_of_one_seed_are_identical_and_runs_of_another_seed_differ(runs):
    for run, again in zip(runs, train(), strict=True):
        np.testing.assert_array_equal(run.train_log_probs, again.train_log_probs)
        np.testing.assert_array_equal(run.test_log_probs, again.test_log_probs)
    for run, other in zip(runs, train(seed=1), strict=True):
        assert not np.array_equal(run.train_log_probs[0], other.train_log_probs[0])


def test_weight_decay_starts_from_the_same_network_and_makes_it_less_certain(runs):
    free, decayed = runs[0], runs[2]
    np.testing.assert_array_equal(free.train_log_probs[0], decayed.train_log_probs[0])
    certainty = [run.train_log_probs[-1].max(axis=-1).mean() for run in (free, decayed)]
    assert certainty[1] < certainty[0]


def test_training_takes_the_steps_of_plain_gradient_descent(digits):
    group, decay = demo.Group("linear", "sgd"), 0.5
    (run,) = demo.train_group(group, digits, weight_decays=(decay,), n_seeds=1, epochs=1)
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0,)))
    batches = demo.minibatches(1, rng)
    ((weight, bias),) = demo.initial_layers("linear", rng)
    weight, bias = np.float64(weight), np.float64(bias)
    rate, truth = demo.LEARNING_RATES["linear"]["sgd"], np.eye(10)[digits.train_labels]
    for batch in batches:
        images = digits.train_images[batch].astype(np.float64)
        scores = images @ weight + bias
        error = np.exp(scores - logsumexp(scores, axis=1, keepdims=True)) - truth[batch]
        weight, bias = (
            weight - rate * (images.T @ error / len(batch) + decay * weight),
            bias - rate * (error.mean(axis=0) + decay * bias),
        )
    scores = digits.test_images.astype(np.float64) @ weight + bias
    expected = scores - logsumexp(scores, axis=1, keepdims=True)
    # 10 steps, each with sums of at most 100 products of entries below 10: 10 * 100 * 10 roundings.
    np.testing.assert_allclose(run.test_log_probs[-1], expected, rtol=0, atol=10 * 100 * 10 * EPS)


def test_shuffled_runs_fit_their_shuffled_labels_and_not_the_true_ones(digits):
    (run,) = demo.train_start(demo.SHUFFLED, WIDE, digits, n_seeds=1)
    shuffled = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0, 1))).permutation(digits.train_labels)
    predicted = run.train_log_probs.argmax(axis=-1)
    assert run.name == "mlp-wide/adam/wd0/seed0/shuffled"
    assert (run.metadata["start"], run.metadata["task"]) == ("fresh", "shuffled labels")
    assert (predicted[-1] == shuffled).mean() > 0.99
    assert (predicted[-1] == digits.train_labels).mean() < CHANCE
    assert (run.test_log_probs[-1].argmax(axis=-1) == digits.test_labels).mean() < CHANCE


def test_corner_runs_begin_where_random_labels_fit_and_then_learn_the_true_ones(digits):
    (run,) = demo.train_start(demo.CORNER, WIDE, digits, n_seeds=1)
    labels = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0, 1))).integers(10, size=1000)
    predicted = run.train_log_probs.argmax(axis=-1)
    assert run.name == "mlp-wide/adam/wd0/seed0/corner"
    assert (run.metadata["start"], run.metadata["task"]) == ("corner", "true labels")
    assert run.steps[0] == 0
    assert (predicted[0] == labels).mean() > 0.99
    assert (predicted[0] == digits.train_labels).mean() < CHANCE
    assert (run.test_log_probs[0].argmax(axis=-1) == digits.test_labels).mean() < CHANCE
    assert (predicted[-1] == digits.train_labels).mean() > 0.99


def test_perturbed_runs_begin_far_from_ignorance_and_arrive_at_the_true_labels(digits):
    (run,) = demo.train_start(demo.PERTURBED, WIDE, digits, n_seeds=1)
    from_ignorance = -(logsumexp(run.test_log_probs[[0, -1]] / 2, axis=-1) - np.log(10) / 2).mean(axis=-1)
    assert (run.metadata["start"], run.metadata["task"]) == ("perturbed", "true labels")
    assert from_ignorance[0] > 0.5  # truth is at log(10) / 2 = 1.15
    assert (run.test_log_probs[-1].argmax(axis=-1) == digits.test_labels).mean() > 0.85


def test_a_start_without_anything_special_begins_like_the_usual_run_of_its_seed(digits):
    start = replace(demo.USUAL, lessons=(demo.Lesson(demo.true_labels, 1),))
    runs = demo.train_start(start, GROUP, digits, n_seeds=2)
    usual = demo.train_group(GROUP, digits, weight_decays=(0.0,), n_seeds=2)
    for run, other in zip(runs, usual, strict=True):
        np.testing.assert_array_equal(run.train_log_probs[0], other.train_log_probs[0])


def test_special_runs_of_one_seed_are_identical_and_runs_of_another_seed_differ(digits):
    lessons = (demo.Lesson(demo.random_labels, 1), demo.Lesson(demo.shuffled_labels, 1))
    start = replace(demo.PERTURBED, lessons=lessons)
    first, again, other = (demo.train_start(start, GROUP, digits, seed=seed, n_seeds=2) for seed in (0, 0, 1))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.train_log_probs, b.train_log_probs)
        assert not np.array_equal(a.train_log_probs[0], c.train_log_probs[0])
    assert not np.array_equal(first[0].train_log_probs, first[1].train_log_probs)


def test_the_usual_runs_are_the_same_with_and_without_the_special_ones(digits, monkeypatch):
    monkeypatch.setattr(demo, "groups", lambda: (demo.Group("linear", "adam"), demo.Group("mlp-narrow", "sgd")))
    plain = [run for training in demo.trainings(digits) for run in training()]
    full = [run for training in demo.trainings(digits, full=True)[:2] for run in training()]
    assert len(plain) == len(full) == 12
    for run, other in zip(plain, full, strict=True):
        assert run.name == other.name
        assert other.metadata == run.metadata | {"start": "fresh", "task": "true labels"}
        np.testing.assert_array_equal(run.steps, other.steps)
        np.testing.assert_array_equal(run.train_log_probs, other.train_log_probs)
        np.testing.assert_array_equal(run.test_log_probs, other.test_log_probs)


def test_the_full_demonstration_adds_every_start_for_each_of_its_groups(digits):
    assert len(demo.trainings(digits)) == len(demo.groups())
    assert len(demo.trainings(digits, full=True)) == len(demo.groups()) + len(demo.STARTS) * len(demo.START_GROUPS)


@pytest.mark.parametrize("channels", [1, 4])
def test_gathered_patches_times_a_matrix_are_a_convolution_of_stride_two(channels):
    rng = np.random.default_rng(0)
    images = rng.standard_normal((2, 8, 6, channels)).astype(np.float32)
    kernel = rng.standard_normal((3, 3, channels, 5)).astype(np.float32)
    gathered = demo.patches(images) @ kernel.reshape(-1, 5)
    # A sum of n products is within n eps of the sum of their magnitudes.
    magnitude = convolution(np.abs(images), np.abs(kernel), stride=2).max()
    bound = 9 * channels * EPS * magnitude
    np.testing.assert_allclose(gathered, convolution(images, kernel, stride=2), rtol=0, atol=bound)


def test_the_convolutional_network_is_two_convolutions_and_a_dense_layer(digits):
    layers = demo.initial_layers("conv", np.random.default_rng(0))
    (first, _), (second, _), (output, _) = ((np.float64(weight), bias) for weight, bias in layers)
    images = digits.test_images[:4]
    features = np.maximum(convolution(images.reshape(-1, 8, 8, 1), first.reshape(3, 3, 1, 16), stride=2), 0)
    features = np.maximum(convolution(features, second.reshape(3, 3, 16, 32), stride=2), 0)
    # Sums of 9, 144 and 128 products one after another, relative to the largest logit with all signs dropped.
    bound = (9 + 144 + 128) * EPS * (features.reshape(4, -1) @ np.abs(output)).max()
    expected = features.reshape(4, -1) @ output
    np.testing.assert_allclose(demo.logits("conv", layers, images), expected, rtol=0, atol=bound)


@pytest.mark.parametrize("architecture", demo.LAYER_SHAPES)
def test_other_data_of_other_sizes_can_be_trained_on(architecture):
    """Images of 28 x 28 pixels, two hundred of them: layers have the shapes that these need."""
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(250, 784)).astype(np.float32) / 3.5, rng.integers(0, 10, 250)
    data = demo.Digits(images[:200], labels[:200], images[200:], labels[200:], tuple("0123456789"))
    (run,) = demo.train_group(demo.Group(architecture, "adam"), data, weight_decays=(0.0,), n_seeds=1, epochs=2)
    assert run.train_log_probs.shape == (len(run.steps), 200, 10)
    assert run.test_log_probs.shape == (len(run.steps), 50, 10)
    loss = -run.train_log_probs[[0, -1]][:, np.arange(200), labels[:200]].mean(axis=1)
    assert loss[1] < loss[0]
    shapes = demo.layer_shapes(architecture, 784)
    assert run.metadata["parameters"] == sum((fan_in + 1) * fan_out for fan_in, fan_out in shapes)
    assert demo.layer_shapes(architecture) == demo.LAYER_SHAPES[architecture]
