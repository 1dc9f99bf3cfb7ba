"""Embeddings of divergence matrices: coordinates with their signature and an account of what they explain."""

from infogeo.embed.inpca import Embedding, inpca
from infogeo.embed.references import Map, Projection, embed_predictions

__all__ = ["Embedding", "Map", "Projection", "embed_predictions", "inpca"]
