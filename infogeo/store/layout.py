"""The layout of a store on disk, readable with plain zarr; docs/store.md shows how.

- `STORE/`: group; attribute `infogeo` holds format, content, classes, the probe's name and hash, and a checksum
- `STORE/labels` [N]: int64, where labels are known
- `STORE/sample_ids` [N] int64, or [N, W] uint8 (UTF-8, filled up with zeros), where samples have names
- `STORE/kept_classes` [N, K]: int32, where classes are merged; attribute `merged_from` names the C before
- `STORE/runs/run-NAME/`: a group per run, NAME percent-encoded; attributes `run`, `metadata`, `finished`, `gaps`,
  `checkpoints` and `checksum` of a run that is finished, `recorder` of one that is not
- `.../log_probs` [T, N, C]: float32 or float16, natural logs, one checkpoint per chunk (split over samples above 16 MB)
- `.../step` [T]: int64
- `.../fingerprint` [T, 16]: uint8 BLAKE2b of each checkpoint as float32, written last: all zero means not committed

While a run is recorded its arrays have room for more than is committed.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

FORMAT = 2
ATTRIBUTE = "infogeo"
CONTENT = "log-probabilities, nats"
CHUNK_BYTES = 16 * 2**20
ROWS_PER_FILE = 1024
"""Steps and fingerprints lie in files of so many rows, replaced as a whole with every checkpoint."""
LONGEST_KEY = 160
"""File systems take names of 255 bytes."""


def run_key(name: str) -> str:
    """The name of a run's group: any text becomes one safe path component, cut and told apart by a hash when long."""
    key = "run-" + quote(name, safe="")
    if len(key) > LONGEST_KEY:
        key = f"{key[:LONGEST_KEY]}-{blake2b(name.encode(), digest_size=16).hexdigest()}"
    return key


def chunk_shape(n_samples: int, n_classes: int) -> tuple[int, int, int]:
    """One checkpoint per chunk; where that is more than 16 MB, in as few parts as can be, of one size."""
    most = max(1, CHUNK_BYTES // (4 * n_classes))
    parts = -(-n_samples // most)
    return 1, -(-n_samples // parts), n_classes


def fingerprint_bytes(fingerprints: list[str]) -> NDArray[np.uint8]:
    """Fingerprints in hexadecimal as bytes [T, 16]."""
    return np.array([np.frombuffer(bytes.fromhex(f), dtype=np.uint8) for f in fingerprints]).reshape(-1, 16)


def rows_of(steps: NDArray[Any], fingerprints: NDArray[np.uint8]) -> bytes:
    """Steps [T] and fingerprints [T, 16] in the form whose BLAKE2b is the checksum of a run: 8 + 16 bytes a row."""
    little = np.ascontiguousarray(steps, dtype="<i8").view(np.uint8).reshape(-1, 8)
    return np.concatenate([little, fingerprints.reshape(-1, 16)], axis=1).tobytes()


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
