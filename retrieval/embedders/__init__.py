"""Embedders behind one port."""

from retrieval.embedders.base import Embedder, EmbedderError, Vectors

__all__ = ["Embedder", "EmbedderError", "Vectors"]
