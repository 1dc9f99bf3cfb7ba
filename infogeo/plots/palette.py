"""Colours that colour-blind readers can tell apart, on light and on dark paper.

Groups without order take the hues of Okabe and Ito (Color Universal Design, 2008), in an order that keeps neighbours
far apart; grey stands in for their black, so that one palette serves both papers. From the ninth group on the same
hues come back lighter, then darker. Ordered values take viridis, cut at the end that would vanish into the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import plotly.colors as pc

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C", "#C8B400")
SPACE_LIKE = OKABE_ITO[0]
TIME_LIKE = OKABE_ITO[1]
MISSING = "#A0A0A0"
NEUTRAL = "rgba(128, 128, 128, 0.45)"
GREY = "#8C8C8C"
"""Of what a picture is compared with: nulls, medians, perfect fits."""
BAND = "rgba(128, 128, 128, 0.22)"
INTERVAL = OKABE_ITO[4]
"""Of error bars: it stands out from space-like and time-like, on light and on dark paper."""
TOO_FAR, TOO_NEAR = OKABE_ITO[2], OKABE_ITO[3]
"""Points that a map puts too far from the others, and too near."""

_VIRIDIS = tuple(str(colour) for colour in pc.sequential.Viridis)
_SPAN = {"light": (0.0, 0.92), "dark": (0.18, 1.0)}
_LIFT = {"light": 0.0, "dark": 0.18}


def qualitative(count: int, paper: str = "light") -> list[str]:
    """The colours '#rrggbb' of `count` groups: 8 hues, then lighter, then darker; from the 25th they repeat."""
    base = [mixed(colour, "#FFFFFF", _LIFT[paper]) for colour in OKABE_ITO]
    rings = [base, [mixed(c, "#FFFFFF", 0.5) for c in base], [mixed(c, "#000000", 0.42) for c in base]]
    colours = [colour for ring in rings for colour in ring]
    return [colours[i % len(colours)] for i in range(count)]


def ordered(count: int, paper: str = "light") -> list[str]:
    """The colours '#rrggbb' of `count` groups in order, along the sequential scale."""
    low, high = _SPAN[paper]
    places = [low + (high - low) * i / max(count - 1, 1) for i in range(count)]
    return [_hex(_sampled(place)) for place in places]


def sequential(paper: str = "light") -> list[list[float | str]]:
    """The perceptually uniform scale for numbers, as plotly takes it: [[0, colour], ..., [1, colour]]."""
    return [[i / 15, colour] for i, colour in enumerate(ordered(16, paper))]


def mixed(first: str, second: str, share: float) -> str:
    """The colour '#rrggbb' that lies a share of the way from the first to the second."""
    a, b = (pc.hex_to_rgb(colour) for colour in (first, second))
    return _hex([x + (y - x) * share for x, y in zip(a, b, strict=True)])


def _sampled(place: float) -> list[float]:
    at = place * (len(_VIRIDIS) - 1)
    left = min(int(at), len(_VIRIDIS) - 2)
    a, b = (pc.hex_to_rgb(_VIRIDIS[i]) for i in (left, left + 1))
    return [x + (y - x) * (at - left) for x, y in zip(a, b, strict=True)]


def _hex(rgb: Sequence[float]) -> str:
    return "#" + "".join(f"{round(channel):02X}" for channel in rgb)


ON_DARK = {colour: mixed(colour, "#FFFFFF", _LIFT["dark"]) for colour in OKABE_ITO}
"""What the hues become on dark paper, as `qualitative` has them."""
