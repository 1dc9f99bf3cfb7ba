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

`STARTS` are runs that begin elsewhere or learn something else, for two of the groups and without weight decay.
They begin with the initial weights of the usual run of their seed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
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
Labelling = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # true labels [n] to those that are learned

N_TRAIN = 1000
BATCH_SIZE = 100
EPOCHS = 40
FITTING_EPOCHS = 100  # enough to fit labels that have nothing to do with the images
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

    train_images: np.ndarray  # [1000, 64] float32; other data may have more, a multiple of 100, of H x H pixels
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
class Lesson:
    """What runs learn for a number of epochs."""

    labelling: Labelling
    epochs: int


@dataclass(frozen=True)
class Start:
    """What runs begin with, and the lessons that follow, each with an optimiser of its own; the last is recorded.

    Noise of N(0, noise^2) is added to every weight, not to biases.
    """

    name: str  # what distinguishes the names of its runs from those of usual ones
    start: str  # the column of this name
    task: str  # the column of this name
    lessons: tuple[Lesson, ...]
    noise: float = 0.0

    @property
    def columns(self) -> Metadata:
        """The metadata by which its runs are told from others."""
        return {"start": self.start, "task": self.task}


@dataclass(frozen=True)
class TrainedRun:
    """What one network predicted at T checkpoints: log-probabilities in nats."""

    name: str
    metadata: Metadata  # columns architecture, optimiser, weight_decay, seed, parameters; also start, task of a Start
    steps: np.ndarray  # [T] int64, optimiser steps
    train_log_probs: np.ndarray  # [T, 1000, 10] float32
    test_log_probs: np.ndarray  # [T, 797, 10] float32


def true_labels(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The labels as they are."""
    del rng
    return labels


def shuffled_labels(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The labels in another order: each class is as frequent as before."""
    return rng.permutation(labels)


def random_labels(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A label for each image, drawn uniformly from the ten classes."""
    return rng.integers(10, size=len(labels))


USUAL = Start("usual", "fresh", "true labels", (Lesson(true_labels, EPOCHS),))
SHUFFLED = Start("shuffled", "fresh", "shuffled labels", (Lesson(shuffled_labels, FITTING_EPOCHS),))
CORNER = Start("corner", "corner", "true labels", (Lesson(random_labels, FITTING_EPOCHS), Lesson(true_labels, EPOCHS)))
PERTURBED = Start("perturbed", "perturbed", "true labels", (Lesson(true_labels, EPOCHS),), noise=0.2)
"""The noise is of the size of the hidden layers' weights (0.12 to 0.18; 0.47 in conv's first) and far above those of
the last (0.01): untrained networks are certain at random, in Bhattacharyya divergence 0.5 to 0.8 nats from ignorance,
where truth is at 1.15. Much more of it, as the N(0, 1) of the literature, makes logits of hundreds to thousands here,
from which Adam comes back in 40 epochs to a test accuracy of only 0.8."""
STARTS = (SHUFFLED, CORNER, PERTURBED)
START_GROUPS = (Group("mlp-wide", "adam"), Group("conv", "adam"))
"""Large enough to fit random labels, as mlp-narrow with its 2410 parameters is not; and Adam's steps are small: from
where networks are certain and wrong, the gradients of SGD carry them across in two or three steps."""


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


def run_metadata(
    group: Group, *, weight_decays: tuple[float, ...] = WEIGHT_DECAYS, n_seeds: int = 3, pixels: int = 64
) -> list[Metadata]:
    """Describe each run of a group, in the order of `train_group`, without training it."""
    parameters = sum((fan_in + 1) * fan_out for fan_in, fan_out in layer_shapes(group.architecture, pixels))
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
    epochs: int = EPOCHS,
) -> list[TrainedRun]:
    """Train every run of a group at once: R = len(weight_decays) * n_seeds runs.

    `seed` sets initial weights and minibatches: one seed gives the same predictions each time on one machine.
    """
    pixels = digits.train_images.shape[1]
    table = run_metadata(group, weight_decays=weight_decays, n_seeds=n_seeds, pixels=pixels)
    layers, batches = _beginnings(group, table, digits, seed, epochs)
    labels = np.stack([digits.train_labels] * len(table))
    return _trained(group, table, digits, layers, labels, batches)[1]


def train_start(start: Start, group: Group, digits: Digits, *, seed: int = 0, n_seeds: int = 3) -> list[TrainedRun]:
    """Train the runs of a start at once, one per seed and without weight decay; see `train_group`.

    Each run has labels, minibatches and noise of its own. Step 0 is the network before the last lesson.
    """
    pixels, n_train = digits.train_images.shape[1], len(digits.train_labels)
    table = run_metadata(group, weight_decays=(0.0,), n_seeds=n_seeds, pixels=pixels)
    rngs = [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(row["seed"]), 1))) for row in table]
    layers, _ = _beginnings(group, table, digits, seed, EPOCHS)
    if start.noise:
        layers = _perturbed(layers, start.noise, rngs)
    runs = []
    for lesson in start.lessons:
        labels = np.stack([lesson.labelling(digits.train_labels, rng) for rng in rngs])
        batches = np.stack([minibatches(lesson.epochs, rng, n_train) for rng in rngs])
        layers, runs = _trained(group, table, digits, layers, labels, batches)
    return [replace(run, name=f"{run.name}/{start.name}", metadata=run.metadata | start.columns) for run in runs]


def trainings(digits: Digits, *, seed: int = 0, full: bool = False) -> list[Callable[[], list[TrainedRun]]]:
    """Everything that there is to train, a group of runs each; `full` adds the `STARTS`, and columns for all.

    The usual runs are the same with and without the others, but for their columns `start` and `task`.
    """
    usual = [partial(train_group, group, digits, seed=seed) for group in groups()]
    if not full:
        return list(usual)
    special = [partial(train_start, start, group, digits, seed=seed) for start in STARTS for group in START_GROUPS]
    return [*(partial(_marked, training, USUAL) for training in usual), *special]


def _marked(training: Callable[[], list[TrainedRun]], start: Start) -> list[TrainedRun]:
    return [replace(run, metadata=run.metadata | start.columns) for run in training()]


def _beginnings(
    group: Group, table: list[Metadata], digits: Digits, seed: int, epochs: int
) -> tuple[Layers, np.ndarray]:
    """Initial layers and minibatches [R, steps, 100] of the usual runs of a table, by their seeds alone."""
    rngs = [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(row["seed"]),))) for row in table]
    batches = np.stack([minibatches(epochs, rng, len(digits.train_labels)) for rng in rngs])
    initial = [initial_layers(group.architecture, rng, digits.train_images.shape[1]) for rng in rngs]
    return jax.tree.map(lambda *arrays: np.stack(arrays), *initial), batches


def _perturbed(layers: Layers, noise: float, rngs: list[np.random.Generator]) -> Layers:
    """Layers of R runs with N(0, noise^2) added to their weights, float32."""

    def noisy(weight: Array) -> np.ndarray:
        added = np.stack([rng.normal(0, noise, weight.shape[1:]) for rng in rngs])
        return np.asarray(weight + added, np.float32)

    return tuple((noisy(weight), bias) for weight, bias in layers)


def _trained(
    group: Group, table: list[Metadata], digits: Digits, layers: Layers, labels: np.ndarray, batches: np.ndarray
) -> tuple[Layers, list[TrainedRun]]:
    """Where R runs end that learn labels [R, 1000], and what they predict on the way."""
    steps, n_train = checkpoint_steps(batches.shape[1]), len(digits.train_labels)
    layers, log_probs = _train_runs(
        group,
        layers,
        np.array([row["weight_decay"] for row in table], np.float32),
        labels.astype(np.int32),
        batches,
        steps.astype(np.int32),
        np.concatenate([digits.train_images, digits.test_images]),
    )
    runs = [
        TrainedRun(run_name(row), row, steps, of_run[:, :n_train], of_run[:, n_train:])
        for row, of_run in zip(table, np.asarray(log_probs), strict=True)
    ]
    return layers, runs


def minibatches(epochs: int, rng: np.random.Generator, n_train: int = N_TRAIN) -> np.ndarray:
    """Training images [steps, 100] int32 of each step: an epoch visits each image once, in a new order."""
    visits = np.concatenate([rng.permutation(n_train) for _ in range(epochs)])
    return visits.reshape(-1, BATCH_SIZE).astype(np.int32)


def layer_shapes(architecture: str, pixels: int = 64) -> tuple[tuple[int, int], ...]:
    """(fan_in, fan_out) of each layer for square images of so many pixels, a multiple of 4 on each side."""
    first, *rest = LAYER_SHAPES[architecture]
    if architecture == "conv":
        *between, (_, classes) = rest
        return (first, *between, (pixels // 16 * between[-1][1], classes))  # two layers of stride 2
    return ((pixels, first[1]), *rest)


def initial_layers(architecture: str, rng: np.random.Generator, pixels: int = 64) -> Layers:
    """Untrained layers, float32: biases zero, weights normal.

    The variance of weights is 2 / fan_in before a ReLU and OUTPUT_SCALE^2 / fan_in before the softmax.
    """
    *hidden, output = layer_shapes(architecture, pixels)
    gains = [*((shape, np.sqrt(2)) for shape in hidden), (output, OUTPUT_SCALE)]
    weights = [rng.normal(0, gain / np.sqrt(shape[0]), shape) for shape, gain in gains]
    return tuple((weight.astype(np.float32), np.zeros(weight.shape[1], np.float32)) for weight in weights)


@partial(jax.jit, static_argnames="group")
def _train_runs(
    group: Group,
    layers: Layers,
    weight_decays: Array,
    labels: Array,
    batches: Array,
    steps: Array,
    images: Array,
) -> tuple[Layers, jax.Array]:
    """Layers of R runs after the last of `steps` [T], and log-probabilities [R, T, N, 10] at each of them.

    The N `images` begin with the training set. `layers`, `weight_decays` [R], `labels` [R, 1000] and `batches`
    [R, steps, 100] have one entry per run on their first axis.
    Between checkpoints a loop of dynamic length trains all runs: one compilation serves the whole schedule.
    """
    optimiser = OPTIMISERS[group.optimiser](LEARNING_RATES[group.architecture][group.optimiser])

    def predict(layers: Layers, images: Array) -> jax.Array:
        return jax.nn.log_softmax(logits(group.architecture, layers, images))

    def train(layers: Layers, weight_decay: Array, labels: Array, batches: Array) -> tuple[Layers, jax.Array]:
        def loss(layers: Layers, batch: Array) -> jax.Array:
            of_label = jnp.take_along_axis(predict(layers, images[batch]), labels[batch, None], axis=1)
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
        (_, (trained, _)), log_probs = jax.lax.scan(checkpoint, untrained, steps)
        return trained, log_probs

    return jax.vmap(train)(layers, weight_decays, labels, batches)


def logits(architecture: str, layers: Layers, images: Array) -> jax.Array:
    """Logits [B, 10] of images [B, H * H]: a ReLU after every layer but the last, which is dense."""
    *hidden, (output_weight, output_bias) = layers
    side = math.isqrt(images.shape[-1])
    features = images.reshape(-1, side, side, 1) if architecture == "conv" else images
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
