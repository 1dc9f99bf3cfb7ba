"""Shares, lists and names in sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence


def percent(share: float) -> str:
    """A share in per cent, with one decimal, or one digit where it is small: 33.6 %, 0.001 %, and no less than that."""
    value = 100 * share
    if abs(value) >= 0.05:
        return f"{value:.1f} %"
    return f"{value:.1g} %" if abs(value) >= 0.0005 else "under 0.001 %"


def listed(words: Sequence[str], last: str = "and") -> str:
    """One, two and three."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def one_line(name: str) -> str:
    """A name as it may stand in a table: line breaks and other characters without a shape as Python's escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
