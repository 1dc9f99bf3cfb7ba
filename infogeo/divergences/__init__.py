"""Divergences between checkpoints: one file each, block mathematics only."""

from infogeo.divergences.base import Divergence
from infogeo.divergences.bhattacharyya import Bhattacharyya
from infogeo.divergences.hellinger import Hellinger
from infogeo.divergences.kl import SymmetricKL

__all__ = ["Bhattacharyya", "Divergence", "Hellinger", "SymmetricKL"]
