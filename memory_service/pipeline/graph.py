"""The graph stage: from episodes to what they say of whom. It reads; the worker writes what it returns."""

import json
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final, Protocol

from graph.extraction.extractor import RuleExtractor
from graph.extraction.port import TimeSpan
from graph.model import Extraction, Precision, Source
from graph.planner.arrive import check
from graph.types import TypeRegistry
from memory_service.instants import from_micros, to_micros
from memory_service.log.graph import GRAPH, source_of
from memory_service.log.outbox import Job
from memory_service.log.records import Extract
from memory_service.log.schema import AnyRow
from memory_service.log.views import NamespaceView
from retrieval.timex import TimeExpression, find_times

_NOTHING: Final = Extraction((), ())
_UNIT: Final[dict[str, Precision]] = {
    "minute": "instant",
    "hour": "instant",
    "daypart": "day",
    "day": "day",
    "month": "month",
    "year": "year",
}


class RecordReader(Protocol):
    """Reads business records by a declared mapping."""

    @property
    def name(self) -> str: ...

    def extract(self, source: Source, record: Any, metadata: dict[str, Any]) -> Extraction: ...


class GraphStage:
    """Extraction without an LLM: rules for what people say, a declared mapping for records.

    An episode that has its record keeps it: a rebuild, or an import that brings one, extracts nothing again.
    """

    name = GRAPH
    version = 1

    def __init__(self, types: TypeRegistry | None = None, records: RecordReader | None = None) -> None:
        self._types = types or TypeRegistry()
        self._records = records

    def extract(self, view: NamespaceView, jobs: Sequence[Job]) -> list[Extract]:
        seqs = [job.episode_seq for job in jobs]
        with view.snapshot() as snapshot:
            rows = snapshot.by_seq(seqs)
            done = snapshot.seqs_with_record(GRAPH, seqs)
        return [self._extract(view.namespace, rows[seq]) for seq in seqs if seq in rows and seq not in done]

    def _extract(self, namespace: str, row: AnyRow) -> Extract:
        name, extraction = self._read(row)
        extraction = self._types.checked(extraction)
        check(extraction)
        return Extract(namespace, row.seq, row.id, GRAPH, name, extraction)

    def _read(self, row: AnyRow) -> tuple[str, Extraction]:
        if row.kind != "json":
            extractor = RuleExtractor(partial(times_in, offset_minutes=row.offset_minutes))
            return extractor.name, extractor.extract(source_of(row))
        if self._records is None:
            return "none", _NOTHING
        found = self._records.extract(source_of(row), json.loads(row.content), json.loads(row.metadata))
        return self._records.name, found


def times_in(text: str, base: int, offset_minutes: int = 0) -> list[TimeSpan]:
    """Retrieval's reader of times as the port that the extractor asks for. "Yesterday" is meant where it was said."""
    return [_span(each) for each in find_times(text, from_micros(base, offset_minutes))]


def _span(found: TimeExpression) -> TimeSpan:
    begins, ends = to_micros(found.interval_start), to_micros(found.interval_end)
    return TimeSpan(found.start, found.end, begins, ends, _precision(found))


def _precision(found: TimeExpression) -> Precision:
    """Of spans that are no unit of the calendar: the unit that is no shorter."""
    if found.granularity in _UNIT:
        return _UNIT[found.granularity]
    length = found.interval_end - found.interval_start
    if length <= timedelta(days=3):
        return "day"
    return "month" if length <= timedelta(days=31) else "year"
