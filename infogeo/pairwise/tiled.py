"""A symmetric matrix whose tiles lie on disk, read when needed: row blocks and products, never the whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeo.core.errors import InputError


@dataclass(frozen=True, eq=False)
class TiledValues:
    """A symmetric matrix [P, P], float64, from one file per tile of its upper triangle.

    Rows come by `values[start:stop]` or `values[indices]`, products by `values @ x`, all of it by `np.asarray`.

    Attributes:
        blocks: the points of each block, in the order of the matrix.
        files: the .npy file of each tile (i, j) with i <= j; a tile of one block with itself is symmetric but for
            its diagonal, which is not part of the matrix: there the matrix is zero.
    """

    blocks: tuple[NDArray[np.intp], ...]
    files: dict[tuple[int, int], Path]

    @property
    def shape(self) -> tuple[int, int]:
        """(P, P)."""
        size = sum(len(block) for block in self.blocks)
        return size, size

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[Any], /) -> NDArray[np.float64]:
        wanted = np.arange(len(self))[rows]
        found = np.empty((len(wanted), len(self)))
        for i, block in enumerate(self.blocks):
            place = {int(point): at for at, point in enumerate(block)}
            ours = np.array([at for at, point in enumerate(wanted.tolist()) if point in place], dtype=np.intp)
            inside = [place[point] for point in wanted[ours].tolist()]
            for j, others in enumerate(self.blocks if inside else ()):
                tile = self._tile(i, j) if i <= j else self._tile(j, i).T
                found[ours[:, None], others] = tile[inside]
        return found

    def __matmul__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        product = np.zeros((len(self), *x.shape[1:]))
        for (i, j), tile in self._tiles():
            product[self.blocks[i]] += tile @ x[self.blocks[j]]
            if i != j:
                product[self.blocks[j]] += tile.T @ x[self.blocks[i]]
        return product

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = np.empty(self.shape)
        with ThreadPoolExecutor() as pool:  # reading, copying and fresh memory wait for the system
            for _ in pool.map(lambda at: self._put(whole, *at), self.files):
                pass
        return whole if dtype is None else whole.astype(dtype)

    def _put(self, whole: NDArray[np.float64], i: int, j: int) -> None:
        put(whole, self.blocks[i], self.blocks[j], self._tile(i, j), mirrored=True)

    def _tiles(self) -> Iterator[tuple[tuple[int, int], NDArray[np.float64]]]:
        for at in self.files:
            yield at, self._tile(*at)

    def _tile(self, i: int, j: int) -> NDArray[np.float64]:
        try:
            tile = np.load(self.files[i, j], allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{self.files[i, j]}: cannot be read ({error}); compute the matrix again") from error
        if i == j:
            np.fill_diagonal(tile, 0.0)
        return tile


def put(
    whole: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    tile: NDArray[np.float64],
    *,
    mirrored: bool,
) -> None:
    """Write a tile where it belongs, and its mirror image if the matrix is symmetric."""
    at, across = _span(rows), _span(columns)
    if not (isinstance(at, slice) and isinstance(across, slice)):
        at, across = rows[:, None], columns
    whole[at, across] = tile
    if mirrored:
        whole.T[at, across] = tile


def _span(block: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """A block of consecutive points as a slice, which is read and written faster; another one as it is."""
    consecutive = bool((np.diff(block) == 1).all())
    return slice(int(block[0]), int(block[-1]) + 1) if consecutive else block
