"""Rerankers behind one port."""

from retrieval.rerankers.base import Reranker, RerankerError, Scores

__all__ = ["Reranker", "RerankerError", "Scores"]
