"""What the numbers of a file may be; loads nothing, so that the command line can use it."""

from __future__ import annotations

from enum import StrEnum

from infogeo.core.errors import InputError


class Kind(StrEnum):
    """What the numbers of a file are."""

    PROBABILITIES = "probabilities"
    LOG_PROBABILITIES = "log-probabilities"
    LOGITS = "logits"

    @classmethod
    def parse(cls, value: str | Kind | None) -> Kind | None:
        """The kind of that name, or None for None.

        Raises:
            InputError: no kind has that name.
        """
        if value is None:
            return None
        try:
            return cls(value)
        except ValueError:
            raise InputError(f"kind: '{value}' is unknown; choose from {', '.join(cls)}") from None
