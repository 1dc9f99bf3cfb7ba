"""Real networks on scikit-learn's digits: what they predict along training, as data for a demonstration.

A run is one network: an architecture, an optimiser, a weight decay and a seed. It minimises, over minibatches
of 100 images and in nats,

    mean of -log p(label | image)  +  weight_decay / 2 * (sum of squares of all weights and biases),

so weight decay adds `weight_decay` times the parameters to the gradient which the optimiser sees: one rule
for SGD, Nesterov and Adam (not AdamW's decoupled one). Predictions are float32 log-probabilities of every
training and test image, in one fixed order, at checkpoints spaced logarithmically from the untrained network
to the last.

The runs of one (architecture, optimiser) group differ only in weight decay and seed; they train together, in
one compiled and vmapped function. Runs of one seed share their minibatches in all groups, and their initial
weights in all groups of an architecture.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn import datasets

Array = jax.Array | np.ndarray
Layers = tuple[tuple[Array, Array], ...]  # (weight [fan_in, fan_out], bias [fan_out]) of each layer
State = tuple[Layers, optax.OptState]  # a network in training, and what its optimiser remembers
Metadata = dict[str, str | int | float]

N_TRAIN = 1000
BATCH_SIZE = 100
CHECKPOINT_CANDIDATES = 30  # from 1 to 400, rounded: 26 are distinct, so 27 checkpoints with step 0
WEIGHT_DECAYS = (0.0, 1e-3)
OUTPUT_SCALE = 0.1  # about the standard deviation of untrained logits: near ignorance, but not on it

LAYER_SHAPES: dict[str, tuple[tuple[int, int], ...]] = {
    "linear": ((64, 10),),
    "mlp-narrow": ((64, 32), (32, 10)),
    "mlp-wide": ((64, 128), (128, 128), (128, 10)),
    "conv": ((3 * 3 * 1, 16), (3 * 3 * 16, 32), (2 * 2 * 32, 10)),
}

OPTIMISERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "sgd": optax.sgd,
    "nesterov": partial(optax.sgd, momentum=0.9, nesterov=True),
    "adam": optax.adam,
}

LEARNING_RATES: dict[str, dict[str, float]] = {
    "linear": {"sgd": 0.1, "nesterov": 0.02, "adam": 0.005},
    "mlp-narrow": {"sgd": 0.1, "nesterov": 0.02, "adam": 0.003},
    "mlp-wide": {"sgd": 0.1, "nesterov": 0.02, "adam": 0.001},
    "conv": {"sgd": 0.1, "nesterov": 0.02, "adam": 0.003},
}


@dataclass(frozen=True)
class Digits:
    """Handwritten digits of 8 x 8 pixels, centred by the training set: the probe set in its fixed order."""

    train_images: np.ndarray  # [1000, 64] float32
    train_labels: np.ndarray  # [1000] int
    test_images: np.ndarray  # [797, 64] float32
    test_labels: np.ndarray  # [797] int
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """The runs that train together: one architecture, one optimiser."""

    architecture: str
    optimiser: str


@dataclass(frozen=True)
class TrainedRun:
    """What one network predicted at T checkpoints: log-probabilities in nats."""

    name: str
    metadata: Metadata  # columns architecture, optimiser, weight_decay, seed, parameters
    steps: np.ndarray  # [T] int64, optimiser steps
    train_log_probs: np.ndarray  # [T, 1000, 10] float32
    test_log_probs: np.ndarray  # [T, 797, 10] float32


def load_digits(seed: int = 0) -> Digits:
    """Load scikit-learn's 1797 digits, shuffled by `seed`: 1000 to train on, 797 to test on.

    Images are (pixel - mean of that pixel) / (one standard deviation of all pixels), from the training set.
    """
    images, labels = (np.asarray(part) for part in datasets.load_digits(return_X_y=True))
    order = np.random.default_rng(seed).permutation(len(labels))
    train, test = order[:N_TRAIN], order[N_TRAIN:]
    centred = images - images[train].mean(axis=0)
    scaled = (centred / centred[train].std()).astype(np.float32)
    class_names = tuple(str(digit) for digit in range(10))
    return Digits(scaled[train], labels[train], scaled[test], labels[test], class_names)


def groups() -> tuple[Group, ...]:
    """Return the 12 groups: each architecture with each optimiser."""
    return tuple(Group(architecture, optimiser) for architecture in LAYER_SHAPES for optimiser in OPTIMISERS)


def run_metadata(group: Group, *, weight_decays: tuple[float, ...] = WEIGHT_DECAYS, n_seeds: int = 3) -> list[Metadata]:
    """Describe each run of a group, in the order of `train_group`, without training it."""
    parameters = sum((fan_in + 1) * fan_out for fan_in, fan_out in LAYER_SHAPES[group.architecture])
    return [
        {
            "architecture": group.architecture,
            "optimiser": group.optimiser,
            "weight_decay": weight_decay,
            "seed": run_seed,
            "parameters": parameters,
        }
        for weight_decay in weight_decays
        for run_seed in range(n_seeds)
    ]


def run_name(metadata: Metadata) -> str:
    """Name a run by its metadata: `conv/adam/wd0.001/seed2`."""
    return "{architecture}/{optimiser}/wd{weight_decay:g}/seed{seed}".format_map(metadata)


def checkpoint_steps(last: int) -> np.ndarray:
    """Checkpoints [T] int64: 0, the untrained network, then distinct and log-spaced integers up to `last`."""
    trained = np.geomspace(1, last, CHECKPOINT_CANDIDATES).round().astype(np.int64)
    return np.unique(np.concatenate([[0], trained]))


def train_group(
    group: Group,
    digits: Digits,
    *,
    seed: int = 0,
    weight_decays: tuple[float, ...] = WEIGHT_DECAYS,
    n_seeds: int = 3,
    epochs: int = 40,
) -> list[TrainedRun]:
    """Train every run of a group at once: R = len(weight_decays) * n_seeds runs.

    `seed` sets initial weights and minibatches: one seed gives the same predictions each time on one machine.
    """
    table = run_metadata(group, weight_decays=weight_decays, n_seeds=n_seeds)
    steps = checkpoint_steps(epochs * (N_TRAIN // BATCH_SIZE))
    seeds = [np.random.SeedSequence(seed, spawn_key=(int(row["seed"]),)) for row in table]
    rngs = [np.random.default_rng(run_seed) for run_seed in seeds]
    batches = np.stack([minibatches(epochs, rng) for rng in rngs])
    initial = [initial_layers(group.architecture, rng) for rng in rngs]
    log_probs = _train_runs(
        group,
        jax.tree.map(lambda *arrays: np.stack(arrays), *initial),
        np.array([row["weight_decay"] for row in table], np.float32),
        batches,
        steps.astype(np.int32),
        np.concatenate([digits.train_images, digits.test_images]),
        digits.train_labels.astype(np.int32),
    )
    return [
        TrainedRun(run_name(row), row, steps, of_run[:, :N_TRAIN], of_run[:, N_TRAIN:])
        for row, of_run in zip(table, np.asarray(log_probs), strict=True)
    ]


def minibatches(epochs: int, rng: np.random.Generator) -> np.ndarray:
    """Training images [steps, 100] int32 of each step: an epoch visits each image once, in a new order."""
    visits = np.concatenate([rng.permutation(N_TRAIN) for _ in range(epochs)])
    return visits.reshape(-1, BATCH_SIZE).astype(np.int32)


def initial_layers(architecture: str, rng: np.random.Generator) -> Layers:
    """Untrained layers, float32: biases zero, weights normal.

    The variance of weights is 2 / fan_in before a ReLU and OUTPUT_SCALE^2 / fan_in before the softmax.
    """
    *hidden, output = LAYER_SHAPES[architecture]
    gains = [*((shape, np.sqrt(2)) for shape in hidden), (output, OUTPUT_SCALE)]
    weights = [rng.normal(0, gain / np.sqrt(shape[0]), shape) for shape, gain in gains]
    return tuple((weight.astype(np.float32), np.zeros(weight.shape[1], np.float32)) for weight in weights)


@partial(jax.jit, static_argnames="group")
def _train_runs(
    group: Group,
    layers: Layers,
    weight_decays: Array,
    batches: Array,
    steps: Array,
    images: Array,
    train_labels: Array,
) -> jax.Array:
    """Log-probabilities [R, T, N, 10] of R runs at `steps` [T]; the N `images` begin with the training set.

    `layers`, `weight_decays` [R] and `batches` [R, steps, 100] have one entry per run on their first axis.
    Between checkpoints a loop of dynamic length trains all runs: one compilation serves the whole schedule.
    """
    optimiser = OPTIMISERS[group.optimiser](LEARNING_RATES[group.architecture][group.optimiser])

    def predict(layers: Layers, images: Array) -> jax.Array:
        return jax.nn.log_softmax(logits(group.architecture, layers, images))

    def train(layers: Layers, weight_decay: Array, batches: Array) -> jax.Array:
        def loss(layers: Layers, batch: Array) -> jax.Array:
            of_label = jnp.take_along_axis(predict(layers, images[batch]), train_labels[batch, None], axis=1)
            return -of_label.mean() + weight_decay / 2 * optax.tree.norm(layers, squared=True)

        def advance(step: Array, state: State) -> State:
            layers, memory = state
            updates, memory = optimiser.update(jax.grad(loss)(layers, batches[step]), memory)
            return jax.tree.map(jnp.add, layers, updates), memory

        def checkpoint(now: tuple[Array, State], stop: Array) -> tuple[tuple[Array, State], jax.Array]:
            start, state = now
            state = jax.lax.fori_loop(start, stop, advance, state)
            return (stop, state), predict(state[0], images)

        untrained = (steps[0], (layers, optimiser.init(layers)))
        return jax.lax.scan(checkpoint, untrained, steps)[1]

    return jax.vmap(train)(layers, weight_decays, batches)


def logits(architecture: str, layers: Layers, images: Array) -> jax.Array:
    """Logits [B, 10] of images [B, 64]: a ReLU after every layer but the last, which is dense."""
    *hidden, (output_weight, output_bias) = layers
    features = images.reshape(-1, 8, 8, 1) if architecture == "conv" else images
    for weight, bias in hidden:
        inputs = patches(features) if architecture == "conv" else features
        features = jax.nn.relu(inputs @ weight + bias)
    return jnp.asarray(features.reshape(len(images), -1) @ output_weight + output_bias)


def patches(images: Array) -> jax.Array:
    """Gather the 3 x 3 neighbourhood of every second pixel, zero outside the image.

    Images [B, H, W, channels], with H and W even, become patches [B, H/2, W/2, 9 * channels] in the order
    row, column, channel. So `patches(images) @ weight` is a convolution of stride 2 with the kernel weight
    [3, 3, channels, features], as one matrix product: on a CPU quick even when every run has its own weight.
    """
    height, width, channels = images.shape[1:]
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows = np.arange(0, height, 2)[:, None] + np.arange(3)  # [H/2, 3]
    columns = np.arange(0, width, 2)[:, None] + np.arange(3)  # [W/2, 3]
    gathered = padded[:, rows[:, None, :, None], columns[None, :, None, :]]  # [B, H/2, W/2, 3, 3, channels]
    return gathered.reshape(-1, height // 2, width // 2, 9 * channels)
