"""Context: search results packed into a token budget, with a citation for each.

The budget is kept by the tokenizer's own count of the whole text that is returned, header and markers included.
"""

import time
from typing import Final

from memory_service import wire
from memory_service.instants import from_micros
from memory_service.log.text import searchable_text
from memory_service.log.views import NamespaceView
from memory_service.recall.searcher import Searcher
from retrieval.packing import Piece, pack
from retrieval.sentences import cited_span

_HEADER: Final = "From memory:"
_MIN_SCORE: Final = 0.05
"""Below this a result shares hardly a word and no meaning with the query: it would only spend budget."""


class ContextPacker:
    """Builds the text that an agent puts before a model."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher

    def pack(self, view: NamespaceView, request: wire.ContextRequest) -> wire.ContextResponse:
        """Never more than `token_budget` tokens."""
        started = time.perf_counter()
        embedder = self._searcher.embedder
        found, query, seq = self._searcher.find([view], request, request.query, request.limit)
        relevant = [item for item in found if item.hit.score >= _MIN_SCORE]
        pieces: list[Piece] = []
        citations: list[wire.Citation] = []
        for item in relevant:
            row = item.row
            text = searchable_text(row.kind, row.content)
            start, end = cited_span(len(text), item.passages, item.best)
            occurred_at = from_micros(row.occurred_at, row.offset_minutes)
            who = row.speaker or row.role or "document"
            # On one line: a line break in a name must not begin what reads like another entry.
            label = f"{' '.join(who.split())}, {occurred_at:%Y-%m-%d %H:%M}"
            pieces.append(Piece(label, " ".join(text[start:end].split()), (row.occurred_at, row.seq)))
            citations.append(
                wire.Citation(
                    marker="",
                    episode_id=row.id,
                    namespace=item.namespace,
                    session_id=row.session_id,
                    speaker=row.speaker,
                    occurred_at=occurred_at,
                    span=wire.Span(start=start, end=end),
                    score=round(item.hit.score, 6),
                )
            )
        packed = pack(_HEADER, pieces, request.token_budget, embedder.count_tokens)
        shown = [
            citations[index].model_copy(update={"marker": f"[{number}]"})
            for number, index in enumerate(packed.order, 1)
        ]
        usage = wire.Usage(
            embedding_tokens=embedder.count_tokens(query.embed_text),
            took_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        return wire.ContextResponse(
            context=packed.text,
            tokens=packed.tokens,
            tokenizer=embedder.name,
            citations=shown,
            decision=_decision(len(found), len(relevant), len(shown)),
            usage=usage,
            seq=seq,
        )


def _decision(found: int, relevant: int, shown: int) -> wire.Decision:
    if relevant == 0:
        reason = "nothing is stored that fits the filters" if found == 0 else "nothing stored comes near the query"
        return wire.Decision(action="skip", reasons=[reason])
    reasons = [f"{relevant} of {found} results come near the query"]
    if shown < relevant:
        reasons.append(f"{relevant - shown} of them were left out: the budget was full")
    return wire.Decision(action="recall", reasons=reasons)
