"""Retrieval: analysis, lexical and vector indexes, time expressions, fusion and packing. Knows nothing of the service."""
