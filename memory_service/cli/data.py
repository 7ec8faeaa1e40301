"""ingest, search, status, export, import: commands on a running service, through the SDK."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from memory_service.cli.console import client, out, progress
from memory_service.conversations import BadConversation, Conversation, load_conversations
from memory_service.errors import MemoryServiceError

Url = Annotated[str | None, typer.Option(help="Address of the service (default: MEMORY_URL, else 127.0.0.1:8090).")]
NamespaceArgument = Annotated[str, typer.Argument(help="The namespace.")]
_BATCH = 100


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(ingest)
    app.command()(search)
    app.command()(status)
    app.command()(export)
    app.command("import")(import_)


def ingest(
    namespace: NamespaceArgument,
    file: Annotated[Path, typer.Argument(help="A conversation (demo or LoCoMo JSON), or JSON Lines of episodes.")],
    wait: Annotated[bool, typer.Option(help="Wait until everything is indexed.")] = True,
    url: Url = None,
) -> None:
    """Store the episodes of a file."""
    episodes = read_episodes(file)
    with client(url) as memory, progress() as bar:
        stored = bar.add_task("storing", total=len(episodes))
        ids: list[str] = []
        for start in range(0, len(episodes), _BATCH):
            answer = memory.append(namespace, episodes[start : start + _BATCH])
            ids += [item.id for item in answer.episodes]
            bar.update(stored, completed=len(ids))
        if wait:
            await_indexed(memory, namespace, ids, bar)
    out.print(f"{len(ids)} episodes in namespace {namespace}.", highlight=False)


def await_indexed(memory: Any, namespace: str, ids: list[str], bar: Any) -> None:
    """Waits in portions, so that the bar moves."""
    task = bar.add_task("indexing", total=len(ids))
    for start in range(0, len(ids), _BATCH):
        memory.wait(namespace, ids[start : start + _BATCH][-1], status="indexed", timeout_s=600)
        bar.update(task, completed=min(start + _BATCH, len(ids)))


def read_episodes(file: Path) -> list[dict[str, Any]]:
    """The episodes of a JSON Lines file, or of every conversation of a conversation file."""
    try:
        if file.suffix in (".jsonl", ".ndjson"):
            return list(_json_lines(file))
        return [episode for conversation in load_conversations(file) for episode in _namespaced(conversation)]
    except OSError as error:
        raise MemoryServiceError(f"Cannot read {file}: {error.strerror}.") from error
    except BadConversation as error:
        raise MemoryServiceError(f"{file}: {error}") from error


def _json_lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    value = json.loads(line)
                except ValueError as error:
                    raise MemoryServiceError(f"{file}, line {number}: not JSON ({error}).") from error
                if not isinstance(value, dict):
                    raise MemoryServiceError(f"{file}, line {number}: not a JSON object.")
                yield value


def _namespaced(conversation: Conversation) -> Iterator[dict[str, Any]]:
    """Ids of several conversations in one namespace are kept apart by the conversation's name."""
    for episode in conversation.episodes:
        yield {
            **episode,
            "id": f"{conversation.name}:{episode['id']}",
            "session_id": f"{conversation.name}:{episode['session_id']}",
        }


def search(
    namespace: NamespaceArgument,
    query: Annotated[str, typer.Argument(help="The question.")],
    limit: Annotated[int, typer.Option(help="How many results.")] = 5,
    explain: Annotated[bool, typer.Option(help="Show each channel's part of the score.")] = False,
    url: Url = None,
) -> None:
    """Ask a namespace."""
    with client(url) as memory:
        answer = memory.search(namespace, query, limit=limit, explain=explain)
    table = Table(
        Column("score", no_wrap=True), "when", "who", Column("text", ratio=1), Column("episode", overflow="fold")
    )
    for result in answer.results:
        score = f"{result.score:.3f}"
        if result.explain:
            score += "\n" + "\n".join(f"{name} {value:.3f}" for name, value in result.explain.items())
        when = f"{result.occurred_at:%Y-%m-%d %H:%M}" if result.occurred_at else ""
        table.add_row(score, when, result.speaker or result.role or "", result.text, result.id)
    out.print(table if answer.results else "Nothing found.")
    out.print(f"{answer.usage.took_ms:.1f} ms", highlight=False)


def status(url: Url = None) -> None:
    """Show whether the service is up, and its namespaces."""
    started = time.perf_counter()
    with client(url) as memory:
        ready = memory.ready()
        milliseconds = (time.perf_counter() - started) * 1000
        out.print(f"{ready.status} ({milliseconds:.0f} ms)  " + "  ".join(f"{k}: {v}" for k, v in ready.checks.items()))
        table, cursor = Table("namespace", "episodes", "seq"), None
        while True:
            page = memory.namespaces(cursor=cursor)
            for item in page.items:
                table.add_row(item.name, str(item.episodes), str(item.seq))
            cursor = page.next_cursor
            if cursor is None:
                break
    out.print(table)
    if ready.status != "ok":
        raise typer.Exit(1)


def export(
    namespace: NamespaceArgument,
    file: Annotated[Path, typer.Argument(help="Where to write the JSON Lines.")],
    url: Url = None,
) -> None:
    """Write a namespace to a file."""
    with client(url) as memory:
        size = memory.export(namespace, file)
    out.print(f"{size} bytes written to {file}.", highlight=False, soft_wrap=True)


def import_(
    namespace: NamespaceArgument,
    file: Annotated[Path, typer.Argument(help="JSON Lines, as export writes them.")],
    url: Url = None,
) -> None:
    """Store an exported file, all or nothing."""
    with client(url) as memory:
        done = memory.import_(namespace, file)
    out.print(f"{done.episodes} episodes, {done.records} records, {done.skipped} already there.", highlight=False)
