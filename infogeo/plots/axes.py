"""What the axes say: the share and signature of a coordinate, steps on a log-like scale, safe text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeo.core.errors import InputError
from infogeo.core.points import Points
from infogeo.embed.inpca import Embedding
from infogeo.pairwise.matrix import GIVEN


def escaped(text: object) -> str:
    """User's text as plotly shows it letter by letter: its pseudo-HTML (<b>, <a>) is switched off."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


LONGEST_NAME = 28


def shortened(name: str) -> str:
    """A name that fits beside a picture, escaped: of a long one the start and the end."""
    half = LONGEST_NAME // 2
    return escaped(name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[-half + 1 :]}")


def divergence_name(name: str) -> str:
    """The divergence of a matrix as an axis says it, escaped; of a bare matrix it is not known."""
    return "given divergence" if name == GIVEN else escaped(name)


def unit(name: str) -> str:
    """The unit of a divergence; of a bare matrix it is not known."""
    return "" if name == GIVEN else "nats"


def axis_title(embedding: Embedding, k: int, separator: str = " · ") -> str:
    """Axis k (from 1): whether it is time-like, what it adds to the explained stress, and its divergence."""
    stress = embedding.explained_stress
    share = f"{100 * stress[0]:.1f} %" if k == 1 else f"+{100 * (stress[k - 1] - stress[k - 2]):.1f} %"
    mark = " (time-like)" if embedding.signature[k - 1] < 0 else ""
    return f"axis {k}{mark} · {share}{separator}{divergence_name(embedding.divergence)}"


def scale_text(fisher_factor: float | None) -> str:
    """The unit of a divergence in words: 'divergence = 1/8 ds²', or that it is not known."""
    if fisher_factor is None:
        return "scale against the Fisher metric not known"
    inverse = 1 / fisher_factor
    near = abs(inverse - round(inverse)) < 1e-9
    factor = "" if fisher_factor == 1 else (f"1/{round(inverse)} " if near else f"{fisher_factor:g} ")
    return f"divergence = {factor}ds² for small distances"


def stretched(steps: ArrayLike) -> bool:
    """Whether steps [P] are drawn on a log axis of step + 1: none is negative and the last is 20 or more."""
    values = np.asarray(steps)
    return len(values) > 0 and float(values.min()) >= 0 and float(values.max()) >= 20


def step_positions(steps: ArrayLike, log: bool) -> NDArray[np.float64]:
    """Where steps [P] lie on their axis: step + 1 on a log axis (steps start at 0), else the steps."""
    return np.asarray(steps, dtype=np.float64) + (1.0 if log else 0.0)


def step_axis(steps: ArrayLike) -> dict[str, Any]:
    """The axis of steps [P] for a plotly layout; with `step_positions` its ticks read as plain steps."""
    if not stretched(steps):
        return {"title": {"text": "step"}, "type": "linear"}
    ticks, labels = step_ticks(steps)
    return {
        "title": {"text": "step (log scale of step + 1)"},
        "type": "log",
        "tickmode": "array",
        "tickvals": [float(t + 1) for t in ticks],
        "ticktext": labels,
    }


def step_ticks(steps: ArrayLike) -> tuple[list[int], list[str]]:
    """Round steps from 0 to the last of steps [P], about evenly spaced in log(step + 1), and their text."""
    top = float(np.max(np.asarray(steps)))
    decades = range(int(np.log10(top)) + 1)
    multiples = (1, 3) if len(decades) <= 4 else (1,)
    ticks = [0, *(m * 10**d for d in decades for m in multiples if m * 10**d <= top)]
    labels = [f"{t // 10**6:g}M" if t >= 10**6 else f"{t // 1000:g}k" if t >= 10**4 else f"{t}" for t in ticks]
    return ticks, labels


def log_axis(values: ArrayLike) -> dict[str, Any]:
    """A log axis for numbers [P] > 0 whose ticks read in full: 1, 2 and 5 where decades are few, else decades."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    low, high = float(np.log10(known.min())), float(np.log10(known.max()))
    decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    multiples = (1, 2, 5) if high - low <= 2.5 else (1,)
    ticks = [m * 10.0**d for d in decades[:: max(1, len(decades) // 8)] for m in multiples]
    return {"type": "log", "tickmode": "array", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks]}


@dataclass(frozen=True)
class Shading:
    """How numbers become places on a scale of colours: the value, or log10(value + offset), and the bar's ticks."""

    log: bool
    offset: float
    ticks: dict[str, Any]

    def places(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The places [P] of numbers [P]."""
        return np.log10(values + self.offset) if self.log else values


def shading(name: str, values: NDArray[np.float64]) -> Shading:
    """The shading of a column [P]: log10(step + 1) for many steps, log10 for positive numbers over two decades."""
    known = values[np.isfinite(values)]
    if name == "step" and stretched(values):
        ticks, labels = step_ticks(values)
        return Shading(True, 1.0, _bar([t + 1.0 for t in ticks], labels))
    if len(known) and float(known.min()) > 0 and float(known.max()) >= 100 * float(known.min()):
        axis = log_axis(known)
        return Shading(True, 0.0, _bar(axis["tickvals"], axis["ticktext"]))
    return Shading(False, 0.0, {})


def _bar(places: list[float], labels: list[str]) -> dict[str, Any]:
    return {"tickmode": "array", "tickvals": [float(np.log10(p)) for p in places], "ticktext": labels}


def hover_texts(points: Points) -> NDArray[np.str_]:
    """One text per point [P]: its run, its step and every other column, escaped."""
    texts = [f"<b>{escaped(run)}</b><br>step {step}" for run, step in zip(points["run"], points["step"], strict=True)]
    for name in points.metadata:
        label = escaped(name)
        texts = [f"{t}<br>{label}: {_shown(v)}" for t, v in zip(texts, points[name], strict=True)]
    return np.asarray(texts, dtype=str)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else escaped(value)


def axes_text(k: int) -> str:
    """How many axes, in words."""
    return "one axis" if k == 1 else f"{k} axes"


def check_limit(limit: int) -> None:
    """Refuse to draw nothing."""
    if limit < 1:
        raise InputError(f"limit: {limit}; draw at least one")
