"""graph show, facts, path, changes: what a running service knows, through the SDK, for people to read."""

import re
import unicodedata
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from memory_service.cli.console import client, err, out
from memory_service.errors import MemoryServiceError, NotFound
from memory_service.instants import parse_instant, to_micros
from memory_service.limits import ID_PATTERN

if TYPE_CHECKING:
    from memory_service.client import MemoryClient
    from memory_service.wire_graph import Change, Entity, Fact, Path

_NAMESAKES: Final = 20
_NARROW: Final = 90
"""Columns of the terminal below which a fact takes several lines instead of a row."""

_SOURCES: Final = 3
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the rest of a line round. Right-to-left letters need none of it."""

Url = Annotated[str | None, typer.Option(help="Address of the service (default: MEMORY_URL, else 127.0.0.1:8090).")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="The namespace.")]
KnownAt = Annotated[str | None, typer.Option(metavar="TIME", help="As it was believed then, as 2026-03-01T09:30:00Z.")]
AsOf = Annotated[str | None, typer.Option(metavar="TIME", help="What was true then. Default: now.")]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    commands = typer.Typer(help="Read what is known: entities, facts, paths, changes.", no_args_is_help=True)
    commands.command()(show)
    commands.command()(facts)
    commands.command()(path)
    commands.command()(changes)
    app.add_typer(commands, name="graph")


def show(
    entity: Annotated[str, typer.Argument(help="Its name, or its id.")],
    namespace: Namespace = "default",
    known_at: KnownAt = None,
    limit: Limit = 200,
    url: Url = None,
) -> None:
    """Show someone or something: what it is, and all that was ever true of it."""
    with _asking(url) as memory:
        when = _time("--known-at", known_at)
        found = _entity(memory, namespace, entity, when)
        out.print(_heading(found))
        lines = list(islice(memory.iter_timeline(namespace, found.id, known_at=when), limit + 1))
    _print_facts(lines, limit, f"Nothing is known of {_plain(found.name)}.")


def facts(
    entity: Annotated[str | None, typer.Argument(help="Only facts of this one, by name or id.")] = None,
    *,
    namespace: Namespace = "default",
    predicate: Annotated[list[str] | None, typer.Option(help="Only these, as works_at; may be repeated.")] = None,
    text: Annotated[str | None, typer.Option(help="Only those with these words.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    all_times: Annotated[bool, typer.Option("--all-times", help="Facts of every time.")] = False,
    limit: Limit = 50,
    url: Url = None,
) -> None:
    """List facts: those true now, as known now, unless asked otherwise; the latest first."""
    with _asking(url) as memory:
        when = _time("--known-at", known_at)
        found = memory.iter_facts(
            namespace,
            entity=None if entity is None else _entity(memory, namespace, entity, when).id,
            predicates=predicate or None,
            text=text,
            as_of=_time("--as-of", as_of),
            known_at=when,
            all_times=all_times,
        )
        lines = list(islice(found, limit + 1))
    _print_facts(lines, limit, "No fact fits.")


def path(
    source: Annotated[str, typer.Argument(help="Where it begins: a name or an id.")],
    target: Annotated[str, typer.Argument(help="Where it ends.")],
    *,
    namespace: Namespace = "default",
    max_hops: Annotated[int, typer.Option(min=1, help="Most facts of a path.")] = 4,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Limit = 5,
    url: Url = None,
) -> None:
    """Show the shortest ways from one entity to another, through facts that hold."""
    with _asking(url) as memory:
        when = _time("--known-at", known_at)
        ends = [_entity(memory, namespace, each, when) for each in (source, target)]
        found = memory.paths(
            namespace,
            *(end.id for end in ends),
            max_hops=max_hops,
            limit=limit,
            as_of=_time("--as-of", as_of),
            known_at=when,
        )
    if not found.items:
        names = " and ".join(_plain(end.name) for end in ends)
        out.print(Text(f"Nothing leads from one to the other within {max_hops} facts: {names}."))
    for each in found.items:
        _print_path(each)
    if not found.is_complete:
        out.print("[dim]The search gave up: there may be shorter or further paths.[/]")


def changes(
    since: Annotated[str, typer.Option(metavar="TIME", help="From then on, as 2026-03-01T09:30:00Z.")],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then. Default: now.")] = None,
    namespace: Namespace = "default",
    limit: Limit = 50,
    url: Url = None,
) -> None:
    """Tell what began (+) and what ceased (-) to be believed, in that order."""
    with _asking(url) as memory:
        begin, end = _time("--since", since), _time("--until", until)
        assert begin is not None
        found = list(islice(memory.iter_changes(namespace, begin, until=end), limit + 1))
    for change in found[:limit]:
        _print_change(change)
    _print_rest(found, limit, "Nothing changed.")


# --- asking -------------------------------------------------------------------------------------------------------


@contextmanager
def _asking(url: str | None) -> "Generator[MemoryClient]":
    """A client; what it refuses to send is told as an error of ours."""
    with client(url) as memory:
        try:
            yield memory
        except ValueError as error:
            raise MemoryServiceError(str(error)) from error


def _time(option: str, text: str | None) -> datetime | None:
    """Raises MemoryServiceError for what names no instant."""
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise MemoryServiceError(f"{option} {error}.") from None


def _entity(memory: "MemoryClient", namespace: str, wanted: str, known_at: datetime | None) -> "Entity":
    """The entity of a name or an id. Raises MemoryServiceError where none or several have it."""
    named = memory.entities(namespace, name=wanted, known_at=known_at, limit=_NAMESAKES + 1).items if wanted else []
    if len(named) == 1:
        return memory.entity(namespace, named[0].id, known_at=known_at)
    if named:
        _print_entities(named[:_NAMESAKES])
        more = "more than " if len(named) > _NAMESAKES else ""
        count = min(len(named), _NAMESAKES)
        raise MemoryServiceError(f"{more}{count} entities are called {_plain(wanted)!r}: name one by its id.")
    if re.fullmatch(ID_PATTERN, wanted):
        try:
            return memory.entity(namespace, wanted, known_at=known_at)
        except NotFound:
            pass  # it is no id either
    similar = memory.entities(namespace, text=wanted, known_at=known_at, limit=_NAMESAKES).items if wanted else []
    if similar:
        _print_entities(similar)
    hint = " Some whose names hold it are listed." if similar else ""
    raise MemoryServiceError(f"There is no entity {_plain(wanted)!r} in namespace {namespace!r}.{hint}")


# --- showing ------------------------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Without what a terminal would obey: text of the memory must not move the cursor or turn a line round."""
    kept = (" " if c.isspace() else c for c in text if c.isspace() or not _is_command(c))
    return " ".join("".join(kept).split())


def _is_command(char: str) -> bool:
    return char in _BIDI or unicodedata.category(char) == "Cc"


def _heading(entity: "Entity") -> Text:
    heading = Text.assemble((_plain(entity.name), "bold"), f"  {_plain(entity.type)}  ", (entity.id, "dim"))
    if entity.aliases:
        heading.append(f"\nalso {', '.join(map(_plain, entity.aliases))}")
    if entity.attributes:
        told = (f"{_plain(name)}: {_plain(str(value))}" for name, value in entity.attributes.items())
        heading.append(f"\n{', '.join(told)}")
    if entity.summary:
        heading.append(f"\n{_plain(entity.summary)}")
    return heading


def _print_entities(entities: "Iterable[Entity]") -> None:
    table = Table(Column("id", overflow="fold"), "type", Column("name", ratio=1), "also", box=None, pad_edge=False)
    for entity in entities:
        also = ", ".join(map(_plain, entity.aliases[:5]))
        table.add_row(Text(entity.id), Text(_plain(entity.type)), Text(_plain(entity.name)), Text(also))
    err.print(table)


def _print_facts(found: "Sequence[Fact]", limit: int, nothing: str) -> None:
    now = datetime.now(UTC)
    if found and out.width < _NARROW:
        for fact in found[:limit]:
            out.print(_stacked(fact, now))
    elif found:
        out.print(_table(found[:limit], now))
    _print_rest(found, limit, nothing)


def _print_rest(found: Sequence[object], limit: int, nothing: str) -> None:
    if not found:
        out.print(Text(nothing))
    if len(found) > limit:
        out.print(f"[dim]There are more: --limit shows them (it is {limit}).[/]", highlight=False)


def _table(found: "Sequence[Fact]", now: datetime) -> Table:
    table = Table(
        Column("", no_wrap=True),
        Column("when", no_wrap=True),
        Column("what", ratio=3, overflow="fold"),
        Column("ended by", ratio=1, overflow="fold"),
        Column("sources", ratio=1, overflow="fold"),
        box=None,
        pad_edge=False,
    )
    for fact in found:
        style = "" if _holds(fact, now) else "dim"
        cells = (_mark(fact, now), _when(fact), _what(fact), _ended_by(fact), _sources(fact))
        table.add_row(*map(Text, cells), style=style)
    return table


def _stacked(fact: "Fact", now: datetime) -> Text:
    """A fact in several lines, each but the first indented."""
    ended = _ended_by(fact)
    told = [f"{_mark(fact, now)} {_when(fact)}", f"  {_what(fact)}"]
    told += [f"  ended by {ended}"] if ended else []
    told += [f"  from {_sources(fact)}"] if fact.episode_ids else []
    return Text("\n".join(told), style="" if _holds(fact, now) else "dim")


def _holds(fact: "Fact", now: datetime) -> bool:
    has_begun = fact.valid_at is None or fact.valid_at <= now
    return has_begun and (fact.invalid_at is None or now < fact.invalid_at)


def _mark(fact: "Fact", now: datetime) -> str:
    return "•" if _holds(fact, now) else " "


def _when(fact: "Fact") -> str:
    from graph.queries.timeline import interval

    valid_at, invalid_at = (None if each is None else to_micros(each) for each in (fact.valid_at, fact.invalid_at))
    return interval(valid_at, invalid_at, fact.valid_at_basis, fact.valid_at_precision)


def _what(fact: "Fact") -> str:
    told = ", ".join(f"{_plain(name)}: {_plain(str(value))}" for name, value in fact.qualifiers.items())
    return _plain(fact.text) + (f" ({told})" if told else "")


def _ended_by(fact: "Fact") -> str:
    return "" if fact.closed_by is None else f"{fact.closed_by.episode_id} ({fact.closed_by.rule})"


def _sources(fact: "Fact") -> str:
    more = len(fact.episode_ids) - _SOURCES
    return ", ".join(fact.episode_ids[:_SOURCES]) + (f" and {more} more" if more > 0 else "")


def _print_path(found: "Path") -> None:
    out.print(Text(" → ".join(_plain(entity.name) for entity in found.entities), style="bold"))
    for fact in found.facts:
        out.print(Padding(Text(f"{_what(fact)}  [{_when(fact)}]  from {_sources(fact)}"), (0, 0, 0, 2)))


def _print_change(change: "Change") -> None:
    sign, style = ("+", "green") if change.kind == "believed" else ("-", "red")
    fact = change.fact
    line = Text.assemble(
        (f"{change.at:%Y-%m-%d %H:%M:%S} ", "dim"),
        (f"{sign} ", style),
        f"{_what(fact)}  [{_when(fact)}]",
        (f"  from {_sources(fact)}" if fact.episode_ids else "", "dim"),
    )
    out.print(line)
