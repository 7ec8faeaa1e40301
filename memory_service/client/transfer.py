"""Operations that move whole namespaces: export and import, as JSON Lines."""

import os
from functools import partial
from pathlib import Path
from typing import TypeAlias

from memory_service.client.base import Requester
from memory_service.client.files import Draft, LineSplitter, size_headers
from memory_service.client.limits import IMPORT_PATIENCE_S
from memory_service.client.operation import iteration, operation
from memory_service.client.requests import path
from memory_service.client.retry import connection_failed
from memory_service.client.steps import Call, Emit, Failure, Flow, Reply, Stream, read, work
from memory_service.wire import ImportResponse

FilePath: TypeAlias = str | os.PathLike[str]


class TransferOperations(Requester):
    """All of them raise ProblemError subclasses, ConnectionFailed, and OSError for files."""

    @operation
    def export(self, namespace: str, file_path: FilePath) -> Flow[int]:
        """Writes all of a namespace to a file, and returns its bytes. A file that is there is the whole export."""
        call = _export_call(namespace)
        reply = yield from self._send(call)
        size_bytes = 0
        with (yield from work(partial(Draft, file_path))) as draft:
            while chunk := (yield from _next_chunk(call, reply)):
                size_bytes += yield from work(partial(draft.write, chunk))
            yield from work(draft.publish)
        return size_bytes

    @iteration
    def iter_export(self, namespace: str) -> Stream[str]:
        """The lines of an export, without their ends, fetched as the iteration goes on. Close it if you stop early."""
        call = _export_call(namespace)
        reply = yield from self._send(call)
        splitter = LineSplitter()
        while chunk := (yield from _next_chunk(call, reply)):
            for line in splitter.feed(chunk):
                yield Emit(line)
        for line in splitter.end():
            yield Emit(line)

    @operation
    def import_(self, namespace: str, file_path: FilePath) -> Flow[ImportResponse]:
        """Stores an export's lines, all or none; those that are there already are skipped. It is not retried.

        Raises InvalidImport with the bad line, EpisodeConflict, TooLarge, StorageFull.
        """
        with (yield from work(partial(Path(file_path).open, "rb"))) as file:
            headers = {"Content-Type": "application/x-ndjson"} | size_headers(file)
            target = path("namespaces", namespace, "import")
            call = Call("POST", target, body=file, headers=headers, patience_s=IMPORT_PATIENCE_S)
            return (yield from self._ask(call, ImportResponse))


def _export_call(namespace: str) -> Call:
    return Call("GET", path("namespaces", namespace, "export"), repeatable=True, streamed=True)


def _next_chunk(call: Call, reply: Reply) -> Flow[bytes]:
    """Raises ConnectionFailed where the export breaks off: half an export must not pass for a whole one."""
    chunk = yield from read(reply)
    if isinstance(chunk, Failure):
        raise connection_failed(call, chunk)
    return chunk
