"""Predictions of checkpoints whose weights were saved, for those who recorded nothing while they trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from infogeo.core.errors import InputError
from infogeo.recorders.probes import check_open
from infogeo.store.naming import run_and_step
from infogeo.store.recorder import Recorder

Model = TypeVar("Model")
AnyPath = TypeVar("AnyPath", bound="str | PathLike[str]")


def record_checkpoints(
    recorder: Recorder,
    paths: Iterable[AnyPath] | Mapping[int, AnyPath],
    load: Callable[[AnyPath], Model],
    predict: Callable[[Model], Any],
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Load saved checkpoints one after the other and record what each predicts.

        with infogeo.Recorder("runs.zarr", run="net-1", probe=probe, resume=True) as recorder:
            record_checkpoints(recorder, Path("weights").glob("*.pt"), load, lambda model: predictions(model, x))

    Checkpoints that are recorded already, or that the recorder's schedule does not want, are not even loaded: a job
    that was stopped goes on where it was, when the recorder was made with `resume=True`.

    Args:
        recorder: where to.
        paths: of the checkpoints, in any order; the step is the number after epoch, step, ckpt or iter in the name,
            else its last integer; or {step: path}.
        load: makes a model of a path.
        predict: makes [N, C] of a model (or {probe name: [N, C]}): `recorders.torch.predictions` and its like.
        progress: called with (checkpoints done, checkpoints in all).

    Returns:
        How many were recorded now.

    Raises:
        InputError: a name without a number, two checkpoints of one step, or a single path instead of several.
    """
    check_open(recorder)
    by_step = _by_step(paths)
    report, recorded = progress or (lambda done, total: None), 0
    for done, step in enumerate(sorted(by_step)):
        report(done, len(by_step))
        if recorder.due(step):
            recorder.log(step, predict(load(by_step[step])))
            recorded += 1
    report(len(by_step), len(by_step))
    return recorded


def _by_step(paths: Any) -> dict[int, Any]:
    if isinstance(paths, Mapping):
        return dict(paths.items())
    if isinstance(paths, str | PathLike):
        raise InputError(f"paths: is the one path {paths}; give a list, [path], or Path(folder).glob('*.pt')")
    found: dict[int, Any] = {}
    for path in paths:
        _, step = run_and_step(Path(path).with_suffix("").as_posix())
        if step is None:
            raise InputError(f"{path}: no number in its name tells the step; give {{step: path}}")
        if step in found:
            raise InputError(f"{path}: is step {step}, and so is {found[step]}; give {{step: path}}")
        found[step] = path
    if not found:
        raise InputError("paths: there is no checkpoint among them")
    return found
