"""The layout of a store on disk, readable with plain zarr.

- `STORE/`: group; attribute `infogeo` holds format, content, classes, probe
- `STORE/labels` [N]: int64, where labels are known
- `STORE/kept_classes` [N, K]: int32, where classes are merged; attribute `merged_from` names the C before
- `STORE/runs/run-NAME/`: a group per run, NAME percent-encoded; attributes `run` and `metadata`
- `.../log_probs` [T, N, C]: float32 natural logs, one checkpoint per chunk (split over samples above 16 MB)
- `.../step` [T]: int64
- `.../fingerprint` [T, 16]: uint8 BLAKE2b of each checkpoint, written last: all zero means not committed
"""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
ATTRIBUTE = "infogeo"
CONTENT = "log-probabilities, nats"
CHUNK_BYTES = 16 * 2**20
LONGEST_KEY = 160
"""File systems take names of 255 bytes."""


def run_key(name: str) -> str:
    """The name of a run's group: any text becomes one safe path component, cut and told apart by a hash when long."""
    key = "run-" + quote(name, safe="")
    if len(key) > LONGEST_KEY:
        key = f"{key[:LONGEST_KEY]}-{blake2b(name.encode(), digest_size=16).hexdigest()}"
    return key


def chunk_shape(n_samples: int, n_classes: int) -> tuple[int, int, int]:
    """One checkpoint per chunk, split over samples where that is more than 16 MB."""
    samples = max(1, min(n_samples, CHUNK_BYTES // (4 * n_classes)))
    return 1, samples, n_classes


def fingerprint_bytes(fingerprints: list[str]) -> NDArray[np.uint8]:
    """Fingerprints in hexadecimal as bytes [T, 16]."""
    return np.array([np.frombuffer(bytes.fromhex(f), dtype=np.uint8) for f in fingerprints]).reshape(-1, 16)


def is_store(path: Path) -> bool:
    """Whether a directory is a store of ours."""
    return store_attributes(path) is not None


def store_attributes(path: Path) -> dict[str, Any] | None:
    """The `infogeo` attribute of a zarr group, read without loading zarr."""
    try:
        meta = json.loads((path / "zarr.json").read_text())
    except (OSError, ValueError):
        return None
    found = meta.get("attributes", {}).get(ATTRIBUTE) if isinstance(meta, dict) else None
    return found if isinstance(found, dict) and "format" in found else None
