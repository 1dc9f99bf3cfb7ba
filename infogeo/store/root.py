"""What a store says of itself, before any run: its probe, its classes, and how these are merged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from infogeo.core.coarse import CoarseGraining, same_merging
from infogeo.core.errors import InputError
from infogeo.core.labels import LabelSpace
from infogeo.core.probe import Probe, check_same_samples
from infogeo.store.layout import ATTRIBUTE, CONTENT, FORMAT, store_attributes


@dataclass(frozen=True, eq=False)
class Root:
    """What all runs of a store share.

    Attributes:
        n_samples: N.
        label_space: the names of the C classes; after merging, where they are merged.
        labels: the true class of each sample [N], in terms of `label_space`.
        probe: its name, the hash of its samples, and their ids.
        coarse_graining: how classes are merged.
        covered: whether a checksum stands for samples and labels, so that a change is seen; not in old stores.
    """

    n_samples: int
    label_space: LabelSpace
    labels: NDArray[np.int64] | None = None
    probe: Probe = field(default_factory=Probe)
    coarse_graining: CoarseGraining | None = None
    covered: bool = True

    @classmethod
    def of(cls, probe: Probe, n_samples: int, n_classes: int, coarse: CoarseGraining | None = None) -> Root:
        """What a probe says, with what the first predictions [N, C] tell.

        Raises:
            InputError: they are not of so many samples or classes.
        """
        if probe.n_samples not in (None, n_samples):
            raise InputError(f"predictions: of {n_samples} samples, but the probe has {probe.n_samples}")
        if probe.classes is not None and len(probe.classes) != n_classes:
            raise InputError(f"predictions: of {n_classes} classes, but the probe names {len(probe.classes)}")
        space = LabelSpace.of_size(n_classes) if probe.classes is None else LabelSpace(tuple(probe.classes))
        if coarse is not None and (len(coarse.kept) != n_samples or coarse.classes != space):
            raise InputError(
                f"keep: is about N={len(coarse.kept)} samples and C={len(coarse.classes)} classes, expected "
                f"N={n_samples}, C={n_classes} of the same names"
            )
        labels = None
        if probe.labels is not None:
            try:
                labels = space.encode(probe.labels, n_samples) if coarse is None else coarse.encode(probe.labels)
            except InputError as error:
                raise InputError(f"predictions: of {n_classes} classes, but the probe's {error}") from error
        return cls(
            n_samples=n_samples,
            label_space=space if coarse is None else coarse.label_space,
            labels=labels,
            probe=Probe(ids=probe.ids, name=probe.name, n_samples=n_samples, samples=probe.samples),
            coarse_graining=coarse,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(N, C) as it is stored."""
        return self.n_samples, len(self.label_space)

    def write(self, path: Path) -> zarr.Group:
        """Make the store, without runs, in a directory that is not there."""
        ids, coarse = self.probe.ids, self.coarse_graining
        arrays = {
            "labels": self.labels,
            "sample_ids": None if ids is None else _ids_as_numbers(np.asarray(ids)),
            "kept_classes": None if coarse is None else coarse.kept,
        }
        known = {name: values for name, values in arrays.items() if values is not None}
        attribute = {
            "format": FORMAT,
            "content": CONTENT,
            "classes": list(self.label_space.names),
            "probe": self.probe.name or None,
            "samples": self.probe.samples,
            "n_samples": self.n_samples,
            "checksum": _checksum(self.n_samples, self.probe.samples, known),
        }
        group = zarr.create_group(path, zarr_format=3, attributes={ATTRIBUTE: attribute})
        group.create_group("runs")
        for name, values in known.items():
            write_array(group, name, values, lost=-1 if name == "labels" else 0)
        if coarse is not None:
            group["kept_classes"].attrs["merged_from"] = list(coarse.classes.names)
        return group

    def ensure(self, path: Path) -> None:
        """Make the store where there is none, or an empty directory; several processes may do so at once.

        Raises:
            InputError: there is one that differs, something else lies there, or it cannot be written.
        """
        if is_free(path):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
                try:
                    self.write(scratch / "store")
                    os.rename(scratch / "store", path)
                finally:
                    shutil.rmtree(scratch, ignore_errors=True)
            except OSError as error:
                if is_free(path):
                    raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
        self.check_same(read_root(path), str(path))

    def check_same(self, other: Root, where: str) -> None:
        """Raise where another store cannot take, or be compared with, what this one describes.

        Args:
            other: that of a store which is there; what it does not know is trusted to be the same, but for labels.
            where: its name.
        """
        check_comparable(self, other, "the run to be recorded", where)
        if self.labels is not None and other.labels is None:
            raise InputError(f"{where}: has no labels, but the probe does; leave them out, or begin a new store")


def check_comparable(one: Root, other: Root, first: str, second: str) -> None:
    """Both are about the same samples and classes, as far as both say so.

    Raises:
        InputError: they are known to differ.
    """
    check_same_samples(one.probe, other.probe, first, second)
    if one.coarse_graining is None and other.coarse_graining is None and one.label_space != other.label_space:
        a, b = one.label_space.names, other.label_space.names
        if sorted(a) == sorted(b):
            what = "have another order; reorder the predictions, or load both with align=True"
        elif len(a) != len(b):
            what = f"differ: {len(b)} and not {len(a)}"
        else:
            what = f"differ: {_listed(b)} and not {_listed(a)}"
        raise InputError(f"{second}: its classes and those of {first} {what}")
    if not same_merging(one.coarse_graining, other.coarse_graining):
        raise InputError(f"{second}: has other classes merged than {first}; merge both alike")
    if one.n_samples != other.n_samples:
        raise InputError(f"{second}: has N={other.n_samples} samples, {first} has {one.n_samples}")
    if one.labels is not None and other.labels is not None and not np.array_equal(one.labels, other.labels):
        raise InputError(f"{second}: its labels differ from those of {first}; both must be on one probe set")


def read_root(path: Path) -> Root:
    """What the store at `path` says of itself.

    Raises:
        InputError: no store, one of a newer format, or a damaged one.
    """
    attributes = store_attributes(path)
    if attributes is None:
        raise InputError(f"{path}: is no infogeo store")
    if attributes["format"] > FORMAT:
        raise InputError(f"{path}: was written by a newer infogeo (format {attributes['format']}); update infogeo")
    try:
        group = zarr.open_group(path, mode="r")
        names = [name for name in ("labels", "sample_ids", "kept_classes") if name in group]
        arrays = {name: np.asarray(array_of(group, name)[...]) for name in names}
        labels, samples = arrays.get("labels"), attributes.get("samples")
        if labels is not None and labels.min(initial=0) < 0:
            raise ValueError("some of its labels are lost")
        n_samples = _n_samples(path, attributes, labels)
        if attributes.get("checksum", now := _checksum(n_samples, samples, arrays)) != now:
            raise ValueError("its labels, sample ids or kept classes are not those that were written")
        coarse = None
        if "kept_classes" in arrays:
            merged_from: Any = group["kept_classes"].attrs["merged_from"]
            coarse = CoarseGraining(arrays["kept_classes"], LabelSpace(tuple(merged_from)))
        ids = _ids_of_numbers(arrays["sample_ids"]) if "sample_ids" in arrays else None
        return Root(
            n_samples=n_samples,
            label_space=LabelSpace(tuple(attributes["classes"])),
            labels=labels,
            probe=Probe(name=attributes.get("probe") or "", ids=ids, samples=samples),
            coarse_graining=coarse,
            covered="checksum" in attributes,
        )
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is a damaged store ({error})") from error


def is_free(path: Path) -> bool:
    """Whether a store can be made at a path: nothing is there, or an empty directory."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def array_of(group: zarr.Group, name: str) -> zarr.Array[Any]:
    """The array of that name.

    Raises:
        KeyError: there is none.
    """
    found = group[name]
    if not isinstance(found, zarr.Array):
        raise KeyError(f"'{name}' is no array")
    return found


def make_array(
    group: zarr.Group, name: str, shape: tuple[int, ...], dtype: Any, chunks: tuple[int, ...], lost: float
) -> None:
    """An array without compression: log-probabilities hardly compress, and plain chunks read fastest.

    What was never written, or is lost, reads as `lost`. Its chunks are files c.0.0 and so on, in no folders of their
    own, since making those takes as long as making the files.
    """
    group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        fill_value=lost,
        compressors=None,
        chunk_key_encoding={"name": "default", "separator": "."},
    )


def write_array(group: zarr.Group, name: str, values: NDArray[Any], lost: int = 0) -> None:
    """A small array in one chunk."""
    make_array(group, name, values.shape, values.dtype, values.shape, lost)
    array_of(group, name)[...] = values


def _checksum(n_samples: int, samples: str | None, arrays: Mapping[str, NDArray[Any]]) -> str:
    """BLAKE2b of N, the hash of the samples, and each array's name, shape and numbers as little-endian int64."""
    found = blake2b(f"{n_samples} {samples}".encode(), digest_size=16)
    for name, values in sorted(arrays.items()):
        found.update(f" {name} {values.shape} ".encode() + values.astype("<i8").tobytes())
    return found.hexdigest()


def _n_samples(path: Path, attributes: Mapping[str, Any], labels: NDArray[Any] | None) -> int:
    """N; stores of the first days leave it to their labels and runs."""
    if "n_samples" in attributes:
        return int(attributes["n_samples"])
    if labels is not None:
        return len(labels)
    first = next(path.glob("runs/run-*/log_probs"))
    return zarr.open_array(first, mode="r").shape[1]


def _ids_as_numbers(ids: NDArray[Any]) -> NDArray[Any]:
    if ids.dtype.kind != "U":
        return ids
    texts = np.char.encode(ids, "utf-8")
    return texts.view(np.uint8).reshape(len(texts), -1)


def _ids_of_numbers(stored: NDArray[Any]) -> NDArray[Any]:
    if stored.ndim == 1:
        return stored
    texts = np.ascontiguousarray(stored).view(f"S{stored.shape[1]}")[:, 0]
    return np.char.decode(texts, "utf-8")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
