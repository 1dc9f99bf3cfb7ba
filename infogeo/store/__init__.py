"""Predictions on disk: the zarr v3 store, its recorder, writer and readers, and readers of other people's files."""

from infogeo.store.loading import load
from infogeo.store.options import RecordingOptions, recorded_bytes
from infogeo.store.recorder import Recorder
from infogeo.store.schedules import AtSteps, EverySteps, LogSpaced, PublishedSchedule, Schedule
from infogeo.store.writer import StoreWriter, write_store

__all__ = [
    "AtSteps",
    "EverySteps",
    "LogSpaced",
    "PublishedSchedule",
    "Recorder",
    "RecordingOptions",
    "Schedule",
    "StoreWriter",
    "load",
    "recorded_bytes",
    "write_store",
]
