"""Divergences between checkpoints: one file each, block mathematics only."""

from infogeo.divergences.base import Divergence
from infogeo.divergences.bhattacharyya import Bhattacharyya
from infogeo.divergences.euclidean import Euclidean
from infogeo.divergences.fisher_rao import FisherRao
from infogeo.divergences.hellinger import Hellinger
from infogeo.divergences.jensen_shannon import JensenShannon
from infogeo.divergences.kl import SymmetricKL
from infogeo.divergences.renyi import Renyi

__all__ = [
    "Bhattacharyya",
    "Divergence",
    "Euclidean",
    "FisherRao",
    "Hellinger",
    "JensenShannon",
    "Renyi",
    "SymmetricKL",
]
