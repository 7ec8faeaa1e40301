"""Answering and judging by a language model, through any OpenAI-compatible endpoint."""
