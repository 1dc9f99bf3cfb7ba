"""Asking a model on one probe or on several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from infogeo.core.errors import InputError
from infogeo.store.recorder import Recorder


def check_open(recorder: Recorder) -> None:
    """A recorder that a training is to be recorded with.

    Raises:
        InputError: it is closed, by the end of an earlier training for instance, and would record nothing.
    """
    if recorder.closed:
        raise InputError(
            f"recorder: that of run '{recorder.run}' is closed, as after every training; make a new Recorder, with "
            "another run name, for this one"
        )


def asked(recorder: Recorder, inputs: Any, ask: Callable[[Any], Any]) -> Any:
    """What `recorder.log` takes: the answer to the inputs, or {probe name: answer} where there are several probes.

    Raises:
        InputError: there are several probes, and inputs for others.
    """
    if not recorder.probes:
        return ask(inputs)
    if not isinstance(inputs, Mapping) or set(inputs) != set(recorder.probes):
        raise InputError(f"inputs: expected a dictionary with {', '.join(recorder.probes)}")
    return {name: ask(inputs[name]) for name in recorder.probes}
