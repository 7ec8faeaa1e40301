"""demo: a service of its own, a conversation remembered, questions answered with their sources, and everything stopped again."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.panel import Panel

from memory_service.cli.console import err, out, progress
from memory_service.cli.data import await_indexed
from memory_service.conversations import BadConversation, Conversation, Question, load_conversations
from memory_service.errors import MemoryServiceError

if TYPE_CHECKING:
    from memory_service.client import MemoryClient

_START_LIMIT_S: Final = 300.0
"""The first start exports the model, which takes torch half a minute on a slow machine."""

_LISTENING: Final = re.compile(r"Listening on (http://\S+)")
_QUESTIONS: Final = 12
_SHOWN: Final = 3


def register(app: typer.Typer) -> None:
    """Adds this module's command."""
    app.command()(demo)


def demo(
    data: Annotated[Path | None, typer.Option(help="A conversation file (demo or LoCoMo format).")] = None,
    questions: Annotated[int, typer.Option(help="Most questions of each conversation.")] = _QUESTIONS,
) -> None:
    """Start a service, remember a conversation, ask it questions, stop."""
    from memory_service.client import MemoryClient

    conversations = _load(data)
    with (
        tempfile.TemporaryDirectory(prefix="memory-demo-") as folder,
        _service(Path(folder)) as url,
        MemoryClient(url) as memory,
    ):
        for conversation in conversations:
            _remember(memory, conversation)
            _ask_all(memory, conversation, conversation.questions[:questions])
    out.print("The service is stopped and its data is gone. `make serve` starts one that stays.")


def _load(data: Path | None) -> list[Conversation]:
    try:
        if data is not None:
            return load_conversations(data)
        return load_conversations(Path(str(files("memory_service") / "data" / "demo_conversation.json")))
    except OSError as error:
        raise MemoryServiceError(f"Cannot read {data}: {error.strerror}.") from error
    except BadConversation as error:
        raise MemoryServiceError(f"{data}: {error}") from error


@contextmanager
def _service(folder: Path) -> Generator[str]:
    """A server process on a free port of the loopback, stopped at the end whatever happens."""
    environment = {
        **os.environ,
        "MEMORY_DATA_DIR": str(folder),
        "MEMORY_HOST": "127.0.0.1",
        "MEMORY_PORT": "0",
        "MEMORY_AUTH": "off",
        "MEMORY_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-P", "-m", "memory_service", "serve"]
    started = time.perf_counter()
    log = folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stderr=stderr)
    try:
        with err.status(
            "Starting the service (the first time, the embedding model is prepared: about half a minute) ..."
        ):
            url = _await_listening(process, log)
        err.print(f"Service on {url}, started in {time.perf_counter() - started:.1f} s.", highlight=False)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _await_listening(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        said = log.read_text(errors="replace")
        if match := _LISTENING.search(said):
            return match.group(1)
        if ended:
            raise MemoryServiceError(f"The service did not start: {said.strip() or 'it said nothing'}")
        time.sleep(0.05)
    raise MemoryServiceError(f"The service did not start within {_START_LIMIT_S:.0f} s.")


def _remember(memory: "MemoryClient", conversation: Conversation) -> None:
    started = time.perf_counter()
    with progress() as bar:
        task = bar.add_task(f"storing {conversation.name}", total=len(conversation.episodes))
        ids: list[str] = []
        for start in range(0, len(conversation.episodes), 100):
            answer = memory.append(conversation.name, conversation.episodes[start : start + 100])
            ids += [item.id for item in answer.episodes]
            bar.update(task, completed=len(ids))
        stored = time.perf_counter() - started
        await_indexed(memory, conversation.name, ids, bar)
    total = time.perf_counter() - started
    out.print(
        f"[bold]{conversation.name}[/]: {len(ids)} episodes durable in {stored:.2f} s, searchable by meaning in {total:.2f} s.",
        highlight=False,
    )


def _ask_all(memory: "MemoryClient", conversation: Conversation, questions: list[Question]) -> None:
    found = judged = 0
    for question in questions:
        hit = _ask(memory, conversation.name, question)
        judged += hit is not None
        found += bool(hit)
    if judged:
        out.print(
            f"The evidence was among the first {_SHOWN} results for {found} of {judged} questions.\n", highlight=False
        )


def _ask(memory: "MemoryClient", namespace: str, question: Question) -> bool | None:
    """Whether the evidence was found; None when the conversation does not hold it."""
    started = time.perf_counter()
    answer = memory.search(namespace, question.text, limit=_SHOWN, as_of=question.as_of)
    milliseconds = (time.perf_counter() - started) * 1000
    lines: list[str] = []
    for result in answer.results:
        mark = "[green]✓[/]" if set(result.episode_ids) & set(question.expect) else " "
        when = f"{result.occurred_at:%d %b %Y}" if result.occurred_at else ""
        text = result.text.replace("[", r"\[")
        lines.append(f"{mark} [dim]{result.score:.2f}  {when}  {result.speaker} ({result.id})[/]\n   {text}")
    if not question.expect:
        lines.append("[dim]The conversation does not say.[/]")
    title = question.text.replace("[", r"\[")
    out.print(
        Panel(
            "\n".join(lines), title=title, title_align="left", subtitle=f"{milliseconds:.1f} ms", subtitle_align="right"
        )
    )
    if not question.expect:
        return None
    return any(set(result.episode_ids) & set(question.expect) for result in answer.results)
