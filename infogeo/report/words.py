"""What both pages say things with: tables, and numbers that stay with their per cent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table in text.

    Attributes:
        heads: (heading, whether its column holds numbers).
        rows: one text per heading.
    """

    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]


def bound(text: str) -> str:
    """The same text; a number is not parted from its per cent."""
    return text.replace(" %", "\u00a0%")
