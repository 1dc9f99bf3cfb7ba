"""What a prediction must be: one function per fact; each error names the place and the cure."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError
from infogeo.core.kinds import Kind

LOG_FLOOR = -174.0
"""The one floor of the package: log p >= -174, so that its half stays the log of a normal float32."""
BFLOAT16 = "bfloat16"
"""The name of a type that NumPy knows from the package ml_dtypes alone: 8 bits of significand."""
CHECKED_NUMBERS = 2**16
"""Numbers that are looked at in float64 at a time: they stay in a core's cache."""
TYPICAL_NUMBERS = 2**20
"""From how many numbers the typical row is taken at most."""
LARGEST_PLAIN = 600.0
"""Numbers up to this size are exponentiated as they are: in float64 neither they nor the sum of a row overflow."""
TYPICAL_CHECKPOINTS = 8
TYPICAL_SAMPLES = 4096
"""From how many checkpoints and samples of an array, evenly spread, the typical row is taken at most."""


class LogProbs(NamedTuple):
    """Checked log-probabilities with what was done to them."""

    values: NDArray[np.float32]
    floored: int
    correction: float


def check_array(values: Any, where: str) -> None:
    """Numbers of two or three dimensions, none of them empty, and at least two classes."""
    if values.dtype.kind not in "fiub" and values.dtype.name != BFLOAT16:
        raise InputError(f"{where}: holds {_kind_name(values.dtype)}, expected numbers: save predictions as floats")
    if values.ndim not in (2, 3):
        raise InputError(
            f"{where}: has {values.ndim} dimension{'s' if values.ndim != 1 else ''}, expected [T, N, C] (one run of "
            "T checkpoints) or [N, C] (one checkpoint); if these are labels or steps, give the file as such or "
            "keep it elsewhere"
        )
    if 0 in values.shape:
        raise InputError(f"{where}: has shape {values.shape}, which holds no prediction")
    if values.shape[-1] < 2:
        raise InputError(f"{where}: has one class (shape {values.shape}); give a probability per class, at least two")


def tolerance(dtype: np.dtype[Any], n_classes: int) -> float:
    """How far a row may be from summing to one: max(1e-3, C times the rounding of the storage)."""
    return max(1e-3, n_classes * _rounding(dtype))


def recognise(values: Any) -> Kind:
    """The kind of [T, N, C] numbers, told by the typical (median) row of checkpoints and samples evenly spread.

    An array that is read by slices does as well as one in memory.
    Probabilities if the median row lies in [0, 1] and sums to 1 within `tolerance`; log-probabilities if the
    median row is at most 0 and its logsumexp is 0 within `tolerance`; otherwise logits.
    """
    n_samples, n_classes = values.shape[-2:]
    most = max(1, min(TYPICAL_SAMPLES, TYPICAL_NUMBERS // (TYPICAL_CHECKPOINTS * n_classes)))
    checkpoints = values if values.ndim == 3 else values[None]
    typical = checkpoints[:: -(-checkpoints.shape[0] // TYPICAL_CHECKPOINTS), :: -(-n_samples // most)]
    rows = np.asarray(typical, dtype=np.float64).reshape(-1, n_classes)
    slack = tolerance(values.dtype, n_classes)
    low, high = np.median(rows.min(axis=-1)), np.median(rows.max(axis=-1))
    if low >= 0 and high <= 1 + slack and np.median(np.abs(rows.sum(axis=-1) - 1)) <= slack:
        return Kind.PROBABILITIES
    if high <= slack and np.median(np.abs(_log_mass(rows))) <= slack:
        return Kind.LOG_PROBABILITIES
    return Kind.LOGITS


def are_doubtful_logits(values: NDArray[Any]) -> bool:
    """Whether numbers [N, C] that were recognised as logits all lie in [0, 1], as the outputs of a sigmoid do.

    All zeros are not in doubt: they are the logits of a network whose last layer begins at zero.
    """
    return bool(values.min() >= 0 and 0 < values.max() <= 1)


def to_log_probs(values: NDArray[Any], kind: Kind, where: str, first: tuple[int, int] = (0, 0)) -> LogProbs:
    """Normalised log-probabilities of [T, N, C] numbers of a known kind, computed in float64, some rows at a time.

    Args:
        values: the numbers [T, N, C].
        kind: what they are.
        where: the name of the run or file, for messages.
        first: the checkpoint and the sample of `values[0, 0]` in its run, for messages.

    Returns:
        float32 log-probabilities (nats), at least `LOG_FLOOR`; how many were floored; the largest |sum - 1|
        of a row that was normalised away (0 for logits).

    Raises:
        InputError: NaN, infinity, or a row that is no distribution; the message names run, checkpoint, sample.
    """
    n_samples, n_classes = values.shape[1:]
    slack = tolerance(values.dtype, n_classes)
    rows = values.reshape(-1, n_classes)
    log_probs = np.empty(rows.shape, dtype=np.float32)
    floored, correction = 0, 0.0
    few = max(1, CHECKED_NUMBERS // n_classes)
    for start in range(0, len(rows), few):
        part = _Rows(rows[start : start + few].astype(np.float64), where, first, start, n_samples)
        log_p, excess = _normalised(part, kind, slack)
        correction = max(correction, excess)
        if log_p.min() < LOG_FLOOR:
            floored += int(np.count_nonzero(log_p < LOG_FLOOR))
            log_p = np.maximum(log_p, LOG_FLOOR)
        log_probs[start : start + few] = log_p
    return LogProbs(log_probs.reshape(values.shape), floored, correction)


class _Rows(NamedTuple):
    """Rows x [R, C] of an array [T, N, C], from its row `start` on, and what it takes to name one of them."""

    x: NDArray[np.float64]
    where: str
    first: tuple[int, int]
    start: int
    n_samples: int

    def refuse(self, wrong: Any, what: str, kind: Kind | None = None) -> None:
        """Raise for the first row marked wrong [R], naming checkpoint, sample and the row itself."""
        if not wrong.any():
            return
        number = int(wrong.argmax())
        checkpoint, sample = divmod(self.start + number, self.n_samples)
        row = self.x[number]
        shown = ", ".join(f"{v:.4g}" for v in row[:4]) + (", ..." if len(row) > 4 else "")
        cure = "" if kind is None else f" (read as {kind}; if these are logits say so: --as logits or kind='logits')"
        place = f"checkpoint {self.first[0] + checkpoint}, sample {self.first[1] + sample}"
        raise InputError(f"{self.where}: {place}: row [{shown}] {what}{cure}")


def _normalised(rows: _Rows, kind: Kind, slack: float) -> tuple[NDArray[np.float64], float]:
    """Normalised log-probabilities [R, C] of rows that are checked here, and the largest |sum - 1| of them."""
    x = rows.x
    if not np.isfinite(x.sum()):
        allowed = np.isfinite(x) | (x == -np.inf if kind is Kind.LOG_PROBABILITIES else False)
        rows.refuse(~allowed.all(axis=-1), "has NaN or infinity; mend or drop this checkpoint")
    if kind is Kind.LOGITS:
        return x - _log_mass(x)[:, None], 0.0
    if kind is Kind.PROBABILITIES:
        rows.refuse((x < 0).any(axis=-1), "has a negative probability", kind)
        mass = x.sum(axis=-1)
        excess = np.abs(mass - 1)
        rows.refuse(excess > slack, "does not sum to 1", kind)
        with np.errstate(divide="ignore"):
            return np.log(x / mass[:, None]), float(excess.max())
    log_mass = _log_mass(x)
    excess = np.abs(np.expm1(log_mass))
    rows.refuse(~(excess <= slack), "does not exponentiate to a sum of 1", kind)
    rounding = 2.0**-24 * (1 + np.log(x.shape[-1]))  # of float32 logs: sum of p |log p| is at most log C
    log_mass[np.abs(log_mass) <= rounding] = 0.0  # such rows stay as they are, bit for bit
    return (x - log_mass[:, None] if log_mass.any() else x), float(excess.max())


def check_same_probe(shapes: dict[str, tuple[int, int]]) -> None:
    """Every run predicts the same N samples and C classes: shapes is {run: (N, C)}."""
    (first, expected), *rest = shapes.items()
    for name, shape in rest:
        if shape != expected:
            raise InputError(
                f"input: '{name}' has N={shape[0]} samples and C={shape[1]} classes, but '{first}' has "
                f"N={expected[0]}, C={expected[1]}; all runs must predict one probe set"
            )


def _log_mass(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """log sum exp of each row [R], in float64; -inf where nothing is above it."""
    top = rows.max(axis=-1)
    with np.errstate(divide="ignore"):
        if (np.abs(top) <= LARGEST_PLAIN).all():
            return np.log(np.exp(rows).sum(axis=-1))
        top = np.where(np.isfinite(top), top, 0.0)
        return np.log(np.exp(rows - top[:, None]).sum(axis=-1)) + top


def _rounding(dtype: np.dtype[Any]) -> float:
    """Half the spacing of the numbers above one."""
    if dtype.name == BFLOAT16:
        return 2.0**-8
    return float(np.finfo(dtype).eps) / 2 if dtype.kind == "f" else 0.0


def _kind_name(dtype: np.dtype[Any]) -> str:
    return {"U": "strings", "S": "strings", "O": "Python objects", "c": "complex numbers"}.get(dtype.kind, str(dtype))
