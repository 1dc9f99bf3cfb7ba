"""Run and step from the names that people give to files of one checkpoint."""

from __future__ import annotations

import re

KEYWORD = re.compile(r"(?i)(?<![a-z])(?:epoch|step|ckpt|checkpoint|iter(?:ation)?)s?[-_=. ]*(?P<step>\d+)")
INTEGER = re.compile(r"(?P<step>\d+)(?!.*\d)")
SEPARATORS = "-_=. "


def run_and_step(name: str) -> tuple[str, int | None]:
    """The run and the step that the name of a single checkpoint stands for.

    The step is the number after epoch, step, ckpt or iter, else the last integer, looked for in the last part
    of the path first; what remains of the name is the run. `probs_epoch10` is step 10 of `probs`;
    `seed1/step_200` is step 200 of `seed1`;
    of `epoch=1-step=100` the step counts, and both go. A name without a number is a run of its own, without a step.
    """
    parts = name.split("/")
    for pattern in (KEYWORD, INTEGER):
        for i in reversed(range(len(parts))):
            found = list(pattern.finditer(parts[i]))
            if not found:
                continue
            finest = next((m for m in found if m.group(0)[0] in "sSiI"), found[-1])  # step or iter before epoch
            pieces = (piece.strip(SEPARATORS) for piece in pattern.sub("/", parts[i]).split("/"))
            rest = "_".join(piece for piece in pieces if piece)
            remaining = [*parts[:i], *([rest] if rest else []), *parts[i + 1 :]]
            return "/".join(remaining) or "run", int(finest.group("step"))
    return name, None
