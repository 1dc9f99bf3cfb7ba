"""Log-probabilities as the writer lays them down, read straight from their files.

The chunks are plain numbers, one checkpoint each or a part of its samples. For these zarr takes longer to plan a
read than the disk to do it, and always reads whole chunks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BytesCodec

from infogeo.core.errors import InputError


@dataclass(frozen=True)
class PlainChunks:
    """An array [T, N, C], float32 or float16, in files c.CHECKPOINT.PART.0 of some samples each.

    Attributes:
        folder: where the array is.
        shape: (T, N, C).
        part: samples per file.
        dtype: of the numbers.
        separator: what stands between the numbers of a file: a point, or a slash in stores of format 1.
    """

    folder: Path
    shape: tuple[int, int, int]
    part: int
    dtype: np.dtype[Any]
    separator: str = "."

    @classmethod
    def of(cls, array: zarr.Array[Any], folder: Path) -> PlainChunks | None:
        """The same array, if its chunks are plain."""
        meta = array.metadata
        if meta.zarr_format != 3 or array.dtype not in (np.dtype("<f4"), np.dtype("<f2")) or array.ndim != 3:
            return None
        key = meta.encode_chunk_key((1, 2, 3))
        plain = meta.codecs == (BytesCodec(endian="little"),) and key in ("c.1.2.3", "c/1/2/3")
        checkpoints, part, classes = array.chunks
        whole = (checkpoints, classes) == (1, array.shape[2])
        t, n, c = array.shape
        return cls(folder, (t, n, c), part, array.dtype, key[1]) if plain and whole else None

    def __getitem__(self, block: tuple[slice, slice], /) -> NDArray[Any]:
        """A contiguous block of (checkpoints, samples); NaN where nothing has been written."""
        t, n, c = self.shape
        start, stop, _ = block[0].indices(t)
        first, last, _ = block[1].indices(n)
        values = np.empty((stop - start, last - first, c), dtype=self.dtype)
        for row, checkpoint in zip(values, range(start, stop), strict=True):
            for part in range(first // self.part, -(-last // self.part)):
                begin, end = max(first, part * self.part), min(last, (part + 1) * self.part)
                self._read(row[begin - first : end - first], checkpoint, part, begin - part * self.part)
        return values

    def _read(self, target: Any, checkpoint: int, part: int, sample: int) -> None:
        """Fill a contiguous target [samples, C] from a file, from one of its samples on."""
        path = self.folder / self.separator.join(["c", str(checkpoint), str(part), "0"])
        wanted, found = memoryview(target).cast("B"), 0
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(sample * target[:1].nbytes)
                while found < len(wanted) and (more := file.readinto(wanted[found:])):  # the system may give less
                    found += more
        except FileNotFoundError:
            target[...] = np.nan
            return
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        if found < len(wanted):
            raise InputError(f"{path}: is truncated; write this run again")
