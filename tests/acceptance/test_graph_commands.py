"""`memory-service graph` as its user meets it: timelines, facts, paths and changes, in terminals of two widths."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from memory_service import MemoryClient
from tests.support.process import ROOT, Server, environment, serving

EVIL = "Evil\x1b[2J [bold]\u202eName"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows Maria, and two called Paris."""
    folder = tmp_path_factory.mktemp("graph")
    with serving(folder, folder / "data") as server, MemoryClient(server.url) as memory:
        memory.state_facts(
            "home",
            [
                fact("m1", "Maria", "works_at", "Acme", "2020-03-01T00:00:00Z", qualifiers={"role": "engineer"}),
                fact("m2", "Maria", "works_at", "Initech", "2024-06-01T00:00:00Z"),
                fact("m3", "Maria", "friend_of", "Bob", "2019-01-01T00:00:00Z"),
                fact("m4", "Bob", "lives_in", "Porto", "2018-01-01T00:00:00Z"),
            ],
        )
        memory.state_facts("home", [fact("x1", EVIL, "visited", "Porto", "2022-01-01T00:00:00Z")])
        paris = {"name": "Paris", "type": "Person"}
        town = {"name": "Paris", "type": "Place"}
        memory.state_facts("twins", [{"subject": paris, "predicate": "likes", "value": "tea", "session_id": "s1"}])
        memory.state_facts("twins", [{**fact("t", "Maria", "visited", ""), "object": town}])
        yield server


def fact(
    episode: str, subject: str, predicate: str, thing: str, since: str | None = None, **more: object
) -> dict[str, object]:
    made = {"id": episode, "subject": {"name": subject}, "predicate": predicate, "object": {"name": thing}, **more}
    return made if since is None else {**made, "valid_at": since}


def graph(server: Server, *arguments: str, columns: int = 120) -> "subprocess.CompletedProcess[str]":
    """Runs `memory-service graph ARGUMENTS` in a terminal so wide."""
    settings = {**environment(url=server.url), "COLUMNS": str(columns)}
    return subprocess.run(
        [sys.executable, "-m", "memory_service", "graph", *arguments],
        cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def lines(text: str) -> list[str]:
    """Without what only aligns columns."""
    return [re.sub(r" {2,}", "  ", line.strip()) for line in text.splitlines() if line.strip()]


def test_a_timeline_is_a_line_for_each_fact(known: Server) -> None:
    done = graph(known, "show", "maria", "--namespace", "home")
    assert done.returncode == 0, done.stderr
    told = lines(done.stdout)
    assert told[0].startswith("Maria  Thing  ")
    assert told[1] == "Maria works at Initech. Maria is a friend of Bob."
    assert told[2:] == [
        "when  what  ended by  sources",
        "•  2019-01-01 00:00 – now  Maria is a friend of Bob  m3",
        "2020-03-01 00:00 – 2024-06-01  Maria worked at Acme (role: engineer)  m2 (successor)  m1",
        "•  2024-06-01 00:00 – now  Maria works at Initech  m2",
    ]


@pytest.mark.parametrize("columns", [30, 60])
def test_a_narrow_terminal_shows_the_same_in_more_lines(known: Server, columns: int) -> None:
    done = graph(known, "show", "Maria", "-n", "home", columns=columns)
    assert done.returncode == 0, done.stderr
    assert all(len(line) <= columns for line in done.stdout.splitlines())
    told = " ".join(done.stdout.split())
    assert "2020-03-01 00:00 – 2024-06-01 Maria worked at Acme (role: engineer) ended by m2 (successor) from m1" in told
    assert "• 2024-06-01 00:00 – now Maria works at Initech from m2" in told


def test_an_entity_is_named_by_its_id_too(known: Server) -> None:
    with MemoryClient(known.url) as memory:
        maria = memory.entities("home", name="Maria").items[0].id
    assert lines(graph(known, "show", maria, "-n", "home").stdout)[0].startswith("Maria")


def test_a_past_belief_is_shown_as_it_was(known: Server) -> None:
    done = graph(known, "show", "Maria", "-n", "home", "--known-at", "2001-01-01T00:00:00Z")
    assert done.returncode == 1
    assert "There is no entity 'Maria'" in done.stderr


def test_a_name_that_several_have_lists_them(known: Server) -> None:
    done = graph(known, "show", "Paris", "-n", "twins")
    assert done.returncode == 1
    assert "2 entities are called 'Paris': name one by its id." in done.stderr
    listed = [line.split() for line in done.stderr.splitlines() if line.endswith("Paris") or "  Paris  " in line]
    assert {row[1] for row in listed} == {"Person", "Place"}
    told = {row[1]: graph(known, "show", row[0], "-n", "twins").stdout for row in listed}
    assert "Paris likes tea" in told["Person"]
    assert "Maria visited Paris" in told["Place"]


def test_a_part_of_a_name_leads_to_whom_it_may_mean(known: Server) -> None:
    done = graph(known, "show", "mar", "-n", "home")
    assert done.returncode == 1
    assert "Some whose names hold it are listed." in done.stderr
    assert "Maria" in done.stderr


def test_facts_are_listed_and_narrowed(known: Server) -> None:
    assert "Maria works at Initech" in graph(known, "facts", "-n", "home").stdout
    then = graph(known, "facts", "Maria", "-n", "home", "--predicate", "works_at", "--as-of", "2021-01-01T00:00:00Z")
    assert [line for line in lines(then.stdout) if "Maria" in line] == [
        "2020-03-01 00:00 – 2024-06-01  Maria worked at Acme (role: engineer)  m2 (successor)  m1"
    ]
    some = graph(known, "facts", "-n", "home", "--all-times", "--limit", "1")
    assert "There are more: --limit shows them (it is 1)." in some.stdout
    assert lines(graph(known, "facts", "-n", "nowhere").stdout) == ["No fact fits."]


def test_a_path_leads_from_one_to_the_other(known: Server) -> None:
    assert lines(graph(known, "path", "Initech", "Porto", "-n", "home").stdout) == [
        "Initech → Maria → Bob → Porto",
        "Maria works at Initech  [2024-06-01 00:00 – now]  from m2",
        "Maria is a friend of Bob  [2019-01-01 00:00 – now]  from m3",
        "Bob lives in Porto  [2018-01-01 00:00 – now]  from m4",
    ]
    none = graph(known, "path", "Acme", "Porto", "-n", "home")
    assert none.returncode == 0
    assert "Nothing leads from one to the other" in none.stdout


def test_changes_tell_what_began_and_what_ceased(known: Server) -> None:
    done = graph(known, "changes", "-n", "home", "--since", "2020-01-01T00:00:00Z")
    told = [line.split(" ", 2)[2] for line in lines(done.stdout)]
    assert "+ Maria works at Initech  [2024-06-01 00:00 – now]  from m2" in told
    assert lines(graph(known, "changes", "-n", "home", "--since", "2999-01-01T00:00:00Z").stdout) == [
        "Nothing changed."
    ]


def test_what_is_remembered_gives_the_terminal_no_orders(known: Server) -> None:
    done = graph(known, "facts", "-n", "home", "--predicate", "visited")
    assert "Evil[2J [bold]Name visited Porto" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "Maria", "-n", "home", "--known-at", "2024-01-01"), "--known-at must be an RFC 3339 timestamp"),
        (("changes", "-n", "home", "--since", "yesterday"), "--since must be an RFC 3339 timestamp"),
        (("show", "Maria", "-n", "two words"), "is no id"),
        (("show", "", "-n", "home"), "There is no entity ''"),
        (("show", "x" * 300, "-n", "home"), "query:name"),
        (("facts", "-n", "home", "--predicate", "Works At"), "query:predicate"),
        (("path", "Maria", "Nobody", "-n", "home"), "There is no entity 'Nobody'"),
        (("path", "Maria", "Bob", "-n", "home", "--max-hops", "99"), "query:max_hops"),
    ],
)
def test_every_error_is_one_clear_line(known: Server, arguments: tuple[str, ...], says: str) -> None:
    done = graph(known, *arguments)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("Error:")]) == 1
