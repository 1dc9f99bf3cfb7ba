"""What lies at or below a path: stores, files of predictions, zarr arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from infogeo.core.errors import InputError
from infogeo.store.formats import FORMATS, READABLE, is_zarr_array
from infogeo.store.layout import is_store


@dataclass(frozen=True)
class Inputs:
    """What is read of a path.

    Attributes:
        root: the path that was given.
        paths: the stores, files and zarr arrays at or below it, in order.
        left_out: files that may hold networks, in a folder that has predictions in other files.
    """

    root: Path
    paths: list[Path]
    left_out: tuple[Path, ...] = ()

    def name_of(self, path: Path) -> str:
        """The name of a file or zarr array relative to the path given, without suffix."""
        if not path.is_dir():
            return path.stem if path == self.root else path.relative_to(self.root).with_suffix("").as_posix()
        name = Path(path.resolve().name) if path == self.root else path.relative_to(self.root)
        return "/".join(part.removesuffix(".zarr") for part in name.parts)

    @property
    def is_single_file(self) -> bool:
        """Whether the path given is one file or zarr array, as a shell's wildcard gives them."""
        return self.root.is_file() or is_zarr_array(self.root)

    @property
    def label(self) -> str:
        """What tells runs of this folder or store from those of others."""
        return self.root.stem if is_store(self.root) else self.root.resolve().name.removesuffix(".zarr")

    @property
    def notes(self) -> list[str]:
        """In words, what was left out."""
        if not self.left_out:
            return []
        names = ", ".join(path.name for path in self.left_out[:3]) + (", ..." if len(self.left_out) > 3 else "")
        count = f"{len(self.left_out)} {'file' if len(self.left_out) == 1 else 'files'}"
        return [f"{self.root}: {count} left out that may hold networks ({names}); give them by name to read them"]


def inputs_of(root: Path, beside: set[Path]) -> Inputs:
    """The stores, files and zarr arrays at or below a path.

    In a folder, tables that are no predictions are left alone, and so are .pt, .pth and .safetensors where there are
    stores, .npy or .npz: training jobs keep their networks there.

    Args:
        root: a store, a file, a zarr array, or a folder, which is searched.
        beside: files that serve as labels and the like.

    Raises:
        InputError: it does not exist, cannot be read, or holds no predictions.
    """
    if not root.exists():
        raise InputError(f"{root}: does not exist")
    if root.is_file() and root.suffix.lower() not in FORMATS:
        raise InputError(f"{root}: cannot be read; give {READABLE}, a zarr array, a folder of these, or a store")
    if root.is_file() or is_store(root) or is_zarr_array(root):
        return Inputs(root, [root])
    found = sorted(_below(root, beside))
    for path in found:
        try:
            path.name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{str(path)!a}: its name is no UTF-8, so no table can hold it; rename it") from error
    if not found:
        raise InputError(f"{root}: holds no predictions; expected {READABLE} files, zarr arrays or stores in it")
    usual = any(path.is_dir() or path.suffix.lower() in (".npy", ".npz") for path in found)
    networks = {path for path in found if usual and path.is_file() and FORMATS[path.suffix.lower()].may_be_network}
    return Inputs(root, [path for path in found if path not in networks], tuple(sorted(networks)))


def _below(root: Path, beside: set[Path]) -> list[Path]:
    """Everything in a folder that can be read, links followed."""
    found: list[Path] = []
    pending, seen = [root], set()
    while pending:
        folder = pending.pop()
        if folder.resolve() in seen or _is_matrix(folder):  # links may lead in circles
            continue
        seen.add(folder.resolve())
        for path in sorted(folder.iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_dir():
                (found if is_store(path) or is_zarr_array(path) else pending).append(path)
            elif path.resolve() not in beside and (known := FORMATS.get(path.suffix.lower())) and known.is_ours(path):
                found.append(path)
    return found


def _is_matrix(folder: Path) -> bool:
    """Whether a folder is a divergence matrix, which maps leave behind: no predictions."""
    try:
        attributes = json.loads((folder / "zarr.json").read_text(encoding="utf-8")).get("attributes", {})
    except (OSError, ValueError, AttributeError):
        return False
    return isinstance(attributes, dict) and {"facts", "points"} <= set(attributes)
