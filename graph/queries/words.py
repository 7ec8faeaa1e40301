"""Lists and sentences in words, bounded."""

from collections.abc import Iterable, Sequence


def listed(names: Sequence[str], most: int) -> str:
    """ "Ana", "Ana and Bob", "Ana, Bob and 3 more"."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def ended(text: str) -> str:
    """With a full stop, unless it has an end of its own."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def fitting(sentences: Iterable[str], most_chars: int) -> list[str]:
    """Those that fit one after another, spaces between them counted. One that does not fit is left out, not cut."""
    kept: list[str] = []
    left = most_chars
    for sentence in sentences:
        needed = len(sentence) + (1 if kept else 0)
        if needed <= left:
            kept.append(sentence)
            left -= needed
    return kept
