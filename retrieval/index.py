"""One namespace's index in memory: documents in order of their seq, as columns, postings and vectors.

It is derived and disposable. It never holds text: a hit is a seq, and the caller reads the text from its store.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis import terms
from retrieval.columns import Codes, Column
from retrieval.postings import Postings
from retrieval.vectors import Vectors

NO_DOC: Final = -1
_OBJECT_BYTES: Final = 8_000
"""What an empty index takes: measured, so that thousands of small namespaces are counted for what they are."""
_ROLES: Final = frozenset({"user", "assistant", "system", "tool"})
_DOCUMENT_COLUMNS: Final[dict[str, Any]] = {
    "seq": np.int64,
    "session": np.int32,
    "previous": np.int32,
    "next": np.int32,
    "speaker": np.int32,
    "role": np.int32,
    "occurred_at": np.int64,
    "recorded_at": np.int64,
    "length": np.int32,
    "is_question": np.bool_,
    "alive": np.bool_,
    "first_row": np.int32,
    "row_count": np.int32,
}
_ROW_COLUMNS: Final[dict[str, Any]] = {"row_start": np.int32, "row_end": np.int32}
_TIME_COLUMNS: Final[dict[str, Any]] = {"time_doc": np.int32, "time_start": np.int64, "time_end": np.int64}
_ALL_COLUMNS: Final = {**_DOCUMENT_COLUMNS, **_ROW_COLUMNS, **_TIME_COLUMNS}


@dataclass(frozen=True, slots=True)
class Document:
    """What the index learns of an episode. Instants are microseconds in UTC."""

    seq: int
    session: str
    speaker: str | None
    role: str | None
    occurred_at: int
    recorded_at: int
    text: str


class MemoryIndex:
    """Columns, postings and vectors of one namespace. Not thread-safe: its owner locks."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.columns: dict[str, Column[Any]] = {name: Column(dtype) for name, dtype in _ALL_COLUMNS.items()}
        self.sessions = Codes()
        self.speakers = Codes()
        self.roles = Codes()
        self._speakers_by_term: dict[str, list[int]] = {}
        self._learned: set[int] = set()
        self.postings = Postings()
        self.vectors = Vectors(dimension)
        self.dead = 0
        self._total_length = 0
        self._last_of_session: dict[int, int] = {}

    def __len__(self) -> int:
        """Documents that are alive."""
        return len(self.columns["seq"]) - self.dead

    @property
    def size(self) -> int:
        """Documents, removed ones included: the length of every document column."""
        return len(self.columns["seq"])

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        columns = sum(column.nbytes for column in self.columns.values())
        return _OBJECT_BYTES + columns + self.postings.nbytes + self.vectors.nbytes

    @property
    def mean_length(self) -> float:
        """Mean number of terms of a living document."""
        return self._total_length / max(1, len(self))

    @property
    def name_terms(self) -> Set[str]:
        """Terms of the speakers' names; roles given as speakers are no names."""
        return self._speakers_by_term.keys()

    def speakers_named(self, names: Iterable[str]) -> list[int]:
        """Codes of the speakers whose name holds one of these terms."""
        return [code for name in names for code in self._speakers_by_term.get(name, ())]

    def column(self, name: str) -> NDArray[Any]:
        """A column's array, valid until the index changes."""
        return self.columns[name].array

    def doc_of(self, seq: int) -> int | None:
        """The document of a seq, None when it is not here or was removed."""
        seqs = self.column("seq")
        doc = int(np.searchsorted(seqs, seq))
        if doc < len(seqs) and seqs[doc] == seq and self.column("alive")[doc]:
            return doc
        return None

    # --- changes -----------------------------------------------------------------------------------------------------

    def add(self, document: Document) -> None:
        """Adds a document of a later seq than all before. It is found by its words at once."""
        doc = self.size
        assert doc == 0 or document.seq > self.column("seq")[-1], "documents come in order of seq"
        session = self.sessions.add(document.session)
        length = self.postings.add(doc, terms(document.text))
        self._total_length += length
        values: Mapping[str, Any] = {
            "seq": document.seq,
            "session": session,
            "previous": NO_DOC,
            "next": NO_DOC,
            "speaker": self._speaker_code(document.speaker),
            "role": self.roles.add(document.role),
            "occurred_at": document.occurred_at,
            "recorded_at": document.recorded_at,
            "length": length,
            "is_question": _is_question(document.text),
            "alive": True,
            "first_row": 0,
            "row_count": 0,
        }
        for name, value in values.items():
            self.columns[name].append(value)
        self._link(doc, session)

    def set_passages(
        self,
        seq: int,
        spans: Sequence[tuple[int, int]],
        vectors: NDArray[np.float16],
        times: Sequence[tuple[int, int]],
    ) -> None:
        """Gives a document its passages (one vector each) and the times it speaks of. Ignored for removed ones."""
        self.set_many([(seq, spans, vectors, times)])

    def set_many(
        self,
        batch: Sequence[tuple[int, Sequence[tuple[int, int]], NDArray[np.float16], Sequence[tuple[int, int]]]],
    ) -> None:
        """`set_passages` of many documents, with one addition to the vectors."""
        rows, docs = len(self.vectors), list[int]()
        blocks: list[NDArray[np.float16]] = []
        for seq, spans, vectors, times in batch:
            doc = self.doc_of(seq)
            if doc is None or self.column("row_count")[doc]:
                continue
            self.column("first_row")[doc] = rows + len(docs)
            self.column("row_count")[doc] = len(spans)
            docs += [doc] * len(spans)
            blocks.append(vectors)
            for start, end in spans:
                self.columns["row_start"].append(start)
                self.columns["row_end"].append(end)
            for start, end in times:
                self.columns["time_doc"].append(doc)
                self.columns["time_start"].append(start)
                self.columns["time_end"].append(end)
        if blocks:
            self.vectors.add(np.array(docs, np.int32), np.concatenate(blocks))

    def remove(self, seqs: Iterable[int]) -> None:
        """Takes documents out: of every result, of the statistics, and their vectors out of memory."""
        docs = [doc for seq in seqs if (doc := self.doc_of(seq)) is not None]
        if not docs:
            return
        for doc in docs:
            self._unlink(doc)
            self.column("alive")[doc] = False
            self._total_length -= int(self.column("length")[doc])
        self.dead += len(docs)
        self._remove_rows(np.array(docs, np.int32))
        self._learn_names_anew()

    def _remove_rows(self, docs: NDArray[np.int32]) -> None:
        gone = np.isin(self.vectors.docs, docs)
        if gone.any():
            for name in _ROW_COLUMNS:
                self.columns[name] = Column(_ROW_COLUMNS[name], self.column(name)[~gone])
            self.vectors.remove(docs)
            self._renumber_rows()
        kept = ~np.isin(self.column("time_doc"), docs)
        for name, dtype in _TIME_COLUMNS.items():
            self.columns[name] = Column(dtype, self.column(name)[kept])

    def _renumber_rows(self) -> None:
        """Rows closed up: each document's first row is looked up again. A document's rows stand together."""
        self.column("row_count")[:] = 0
        owners, first, counts = np.unique(self.vectors.docs, return_index=True, return_counts=True)
        self.column("first_row")[owners] = first
        self.column("row_count")[owners] = counts

    def _speaker_code(self, speaker: str | None) -> int:
        code = self.speakers.add(speaker)
        if code >= 0 and code not in self._learned:
            self._learn_name(code)
        return code

    def _learn_name(self, code: int) -> None:
        self._learned.add(code)
        name = self.speakers.values[code]
        if name.lower() not in _ROLES:
            for term in dict.fromkeys(terms(name)):
                self._speakers_by_term.setdefault(term, []).append(code)

    def _learn_names_anew(self) -> None:
        """A name whose last turn was removed is a word like any other again."""
        self._speakers_by_term.clear()
        self._learned.clear()
        for code in np.unique(self.column("speaker")[self.column("alive")]).tolist():
            if code >= 0:
                self._learn_name(code)

    # --- neighbours --------------------------------------------------------------------------------------------------

    def _link(self, doc: int, session: int) -> None:
        """Puts the document into its session's order, by time and then by seq. Nearly always that is at the end."""
        occurred, previous, following = self.column("occurred_at"), self.column("previous"), self.column("next")
        before = self._last_of_session.get(session, NO_DOC)
        after = NO_DOC
        while before != NO_DOC and occurred[before] > occurred[doc]:
            before, after = int(previous[before]), before
        previous[doc], following[doc] = before, after
        if before != NO_DOC:
            following[before] = doc
        if after != NO_DOC:
            previous[after] = doc
        else:
            self._last_of_session[session] = doc

    def _unlink(self, doc: int) -> None:
        previous, following = self.column("previous"), self.column("next")
        before, after = int(previous[doc]), int(following[doc])
        if before != NO_DOC:
            following[before] = after
        if after != NO_DOC:
            previous[after] = before
        else:
            self._set_last(int(self.column("session")[doc]), before)
        previous[doc] = following[doc] = NO_DOC

    def _set_last(self, session: int, doc: int) -> None:
        if doc == NO_DOC:
            self._last_of_session.pop(session, None)
        else:
            self._last_of_session[session] = doc

    # --- snapshots ---------------------------------------------------------------------------------------------------

    def frozen(self) -> tuple[dict[str, NDArray[Any]], dict[str, list[str]]]:
        """Everything as arrays and lists of strings. Only for an index without removed documents."""
        assert self.dead == 0, "a snapshot must not keep what was erased"
        terms, offsets, docs, counts = self.postings.frozen()
        vectors, vector_docs = self.vectors.frozen()
        arrays = {name: column.array for name, column in self.columns.items()}
        arrays |= {"posting_offsets": offsets, "posting_docs": docs, "posting_counts": counts}
        arrays |= {"vectors": vectors, "vector_docs": vector_docs}
        lists = {"terms": terms, "sessions": self.sessions.values}
        lists |= {"speakers": self.speakers.values, "roles": self.roles.values}
        return arrays, lists

    @classmethod
    def thaw(cls, dimension: int, arrays: Mapping[str, NDArray[Any]], lists: Mapping[str, list[str]]) -> "MemoryIndex":
        """The index that `frozen` described. Posting arrays may be memory-mapped; the rest is copied."""
        index = cls(dimension)
        index.columns = {name: Column(dtype, arrays[name]) for name, dtype in _ALL_COLUMNS.items()}
        index.sessions, index.speakers = Codes(lists["sessions"]), Codes(lists["speakers"])
        index.roles = Codes(lists["roles"])
        for code in range(len(index.speakers)):
            index._learn_name(code)
        index.postings = Postings.thaw(
            lists["terms"], arrays["posting_offsets"], arrays["posting_docs"], arrays["posting_counts"]
        )
        if len(arrays["vector_docs"]):
            index.vectors.add(arrays["vector_docs"], arrays["vectors"])
        index._total_length = int(index.column("length").sum())
        last = np.flatnonzero(index.column("next") == NO_DOC)
        index._last_of_session = dict(zip(index.column("session")[last].tolist(), last.tolist(), strict=True))
        return index


def _is_question(text: str) -> bool:
    return text.rstrip().endswith(("?", "？", "؟"))
