"""Rerankers that fail or reverse, and a real cross-encoder that is small enough to be made on the spot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.rerankers import RerankerError, Scores

WORDS = [
    "hello",
    "world",
    "cat",
    "dog",
    "sat",
    "mat",
    "the",
    "a",
    "on",
    "likes",
    "tea",
    "ann",
    "ben",
    "what",
    "who",
    "?",
]


class FailingReranker:
    """Fails at every call."""

    name = "failing"

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        raise RerankerError("the model broke on this query")


class RememberingReranker:
    """Puts the last text first, and remembers what it was asked."""

    name = "remembering"

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        self.asked.append((query, list(texts)))
        return np.arange(len(texts), dtype=np.float32)


def make_cross_encoder(folder: Path, *, labels: int = 1, head: bool = True) -> Path:
    """A BERT of two layers with seeded weights, which nothing was ever taught, saved as transformers saves a real one."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

    torch.manual_seed(7)
    folder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=48,
        num_labels=labels,
        initializer_range=0.2,
    )
    (BertForSequenceClassification if head else BertModel)(config).save_pretrained(folder)
    BertTokenizerFast(vocab={word: code for code, word in enumerate(words)}).save_pretrained(folder)
    return folder
