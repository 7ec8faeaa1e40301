"""Tokenizer files: loaded without the truncation and padding they carry, applied to whatever text comes."""

import re
from pathlib import Path

from tokenizers import Tokenizer

from retrieval.embedders.base import EmbedderError

_SURROGATES = re.compile("[\ud800-\udfff]")


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a tokenizer.json. Raises EmbedderError if it cannot be read."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises no more precise one
        raise EmbedderError(f"{path} cannot be read: {error}") from error
    # Files often carry the truncation and padding of some training run (MiniLM's: 128).
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encodable(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot carry. One character for another: offsets stay."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def offsets(tokenizer: Tokenizer, text: str) -> list[tuple[int, int]]:
    """Character spans [start, end) of the text's tokens, without special ones."""
    return list(tokenizer.encode(encodable(text), add_special_tokens=False).offsets)
