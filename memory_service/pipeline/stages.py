"""The stages: each turns stored episodes into records. They read; the worker writes what they return."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import numpy as np

from memory_service import limits
from memory_service.instants import from_micros, to_micros
from memory_service.log.outbox import Job
from memory_service.log.records import INDEX, NOTE, Extract, IndexPayload
from memory_service.log.schema import AnyRow
from memory_service.log.text import searchable_text
from memory_service.log.views import NamespaceView
from memory_service.pipeline.notes import NoteMaker, Related, Turn
from retrieval.analysis import terms
from retrieval.embedders import Embedder
from retrieval.names import find_names
from retrieval.sentences import Span, passages
from retrieval.timex import find_times


class Stage(Protocol):
    """One step of enrichment. Idempotent: the same episodes give the same records."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        """Records for those of the jobs whose episode still exists."""
        ...


class NoteIndex(Protocol):
    """Where a note's relatives are looked up."""

    def related(
        self, view: NamespaceView, seqs: Sequence[int], names: Sequence[Sequence[str]], limit: int
    ) -> list[list[tuple[int, float | None]]]:
        """For each episode, earlier ones as (seq, cosine or None when only a name is shared)."""
        ...


class IndexStage:
    """Passages, their vectors and the times they speak of."""

    name = INDEX
    version = 1

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        with view.snapshot() as snapshot:
            rows = snapshot.by_seq([job.episode_seq for job in jobs])
        ordered = [rows[job.episode_seq] for job in jobs if job.episode_seq in rows]
        texts = [searchable_text(row.kind, row.content) for row in ordered]
        spans = [passages(text) for text in texts]
        keys = [text[start:end] for text, own in zip(texts, spans, strict=True) for start, end in own]
        vectors = self._embedder.embed(keys).astype(np.float16)
        extracts: list[Extract] = []
        start = 0
        for row, text, own in zip(ordered, texts, spans, strict=True):
            block = vectors[start : start + len(own)]
            start += len(own)
            extracts.append(self._extract(view.namespace, row, text, own, block.tobytes()))
        return extracts

    def _extract(self, namespace: str, row: AnyRow, text: str, spans: Sequence[Span], vectors: bytes) -> Extract:
        occurred_at = from_micros(row.occurred_at, row.offset_minutes)
        payload = IndexPayload(
            passages=list(spans),
            times=resolved_times(text, occurred_at),
            model=self._embedder.name,
        )
        return Extract(namespace, row.seq, row.id, INDEX, f"index/{self.version}", payload, vectors)


def resolved_times(text: str, occurred_at: datetime) -> list[tuple[int, int]]:
    """The times a text speaks of, read from when it was said, as [start, end) microseconds."""
    # "before June" has no beginning: it would lie within every time that is asked for.
    found = [time for time in find_times(text, occurred_at) if time.is_bounded]
    return sorted({(to_micros(time.interval_start), to_micros(time.interval_end)) for time in found})


class NoteStage:
    """One Zettel per episode, linked to earlier ones."""

    name = NOTE
    version = 1

    def __init__(self, maker: NoteMaker, index: NoteIndex) -> None:
        self._maker = maker
        self._index = index

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        with view.snapshot() as snapshot:
            rows = snapshot.by_seq([job.episode_seq for job in jobs])
            ordered = [rows[job.episode_seq] for job in jobs if job.episode_seq in rows]
            before = [snapshot.turns_before(row.session_id, row.seq, limits.NOTE_NEIGHBOURS) for row in ordered]
        turns = [_turn(row) for row in ordered]
        names = [_names_spoken_of(turn, neighbours) for turn, neighbours in zip(turns, before, strict=True)]
        related = self._index.related(view, [t.seq for t in turns], names, limits.MAX_LINKS * 2)
        with view.snapshot() as snapshot:
            known = snapshot.by_seq(sorted({seq for found in related for seq, _ in found}))
        return [
            self._extract(view.namespace, turn, neighbours, found, known)
            for turn, neighbours, found in zip(turns, before, related, strict=True)
        ]

    def _extract(
        self,
        namespace: str,
        turn: Turn,
        before: Sequence[AnyRow],
        found: Sequence[tuple[int, float | None]],
        known: dict[int, AnyRow],
    ) -> Extract:
        relatives = [
            Related(known[seq].id, seq, similarity, _names_of(known[seq])) for seq, similarity in found if seq in known
        ]
        payload = self._maker.make(turn, [_turn(row) for row in before], relatives)
        # What was considered and not linked counts too: without it, something else might have been considered.
        sources = [row.seq for row in before] + [relative.seq for relative in relatives]
        return Extract(namespace, turn.seq, turn.id, NOTE, self._maker.name, payload, None, sources)


def _names_spoken_of(turn: Turn, before: Sequence[AnyRow]) -> list[str]:
    """Names in the text less those of the people who talk: they are in every turn, and relate nothing."""
    talking = {term for who in (turn.speaker, *(row.speaker for row in before)) if who for term in terms(who)}
    return [name for name in find_names(turn.text) if not talking.issuperset(terms(name))]


def _names_of(row: AnyRow) -> frozenset[str]:
    return frozenset(name.lower() for name in find_names(searchable_text(row.kind, row.content)))


def _turn(row: AnyRow) -> Turn:
    occurred_at = from_micros(row.occurred_at, row.offset_minutes)
    text = searchable_text(row.kind, row.content)
    return Turn(
        id=row.id,
        seq=row.seq,
        session_id=row.session_id,
        speaker=row.speaker,
        role=row.role,
        text=text,
        occurred_at=occurred_at,
        has_time=bool(find_times(text, occurred_at)),
    )
