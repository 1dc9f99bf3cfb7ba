"""Predictions on disk: the zarr v3 store, its writer and readers, and readers of other people's files."""

from infogeo.store.loading import load
from infogeo.store.writer import StoreWriter, write_store

__all__ = ["StoreWriter", "load", "write_store"]
