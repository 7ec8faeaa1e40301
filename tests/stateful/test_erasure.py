"""After an erasure every answer is that of a store which never received the episode: the cases that need a story of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memory_service import wire
from memory_service.service import MemoryService
from tests.stateful.services import append, new_folder, open_service, work
from tests.stateful.twins import AS_OF, assert_alike, scores, twin_of


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MemoryService]:
    service = open_service(new_folder(tmp_path))
    yield service
    service.close()


def told(name: str, content: str, session: str | None = None, speaker: str | None = None) -> dict[str, Any]:
    """An episode in a session of its own, unless another is named."""
    return {
        "id": name,
        "content": content,
        "session_id": session or f"session-{name}",
        "speaker": speaker,
        "occurred_at": "2026-02-03T10:00:00+01:00",
    }


def assert_never_received(service: MemoryService, victim: str, root: Path, *queries: str) -> None:
    """Erases the victim, works, and compares with a store that was given the others only."""
    service.erase_episode("ns", victim)
    work(service)
    assert_as_if_never_received(service, root, *queries)


def assert_as_if_never_received(service: MemoryService, root: Path, *queries: str) -> None:
    """Compares with a store that was given what lives."""
    twin = twin_of(service, ["ns"], root)
    try:
        assert_alike(service, twin, "ns", list(queries))
    finally:
        twin.close()


def test_the_turn_after_an_erased_one_is_told_to_follow_the_turn_before_it(
    service: MemoryService, tmp_path: Path
) -> None:
    append(service, "ns", [told(name, f"about {name}", "one") for name in ("tea", "rain", "Oslo", "kernel")])
    work(service)
    assert_never_received(service, "rain", tmp_path, "tea", "Oslo kernel")


def test_links_to_an_erased_episode_are_gone_and_others_take_their_place(
    service: MemoryService, tmp_path: Path
) -> None:
    append(service, "ns", [told(f"e{n}", f"green tea {'with milk ' * (n % 2)}number{n}") for n in range(9)])
    work(service)
    assert_never_received(service, "e3", tmp_path, "tea", "milk", "number8")


def test_an_erasure_before_any_work_leaves_nothing_of_it_in_the_work(service: MemoryService, tmp_path: Path) -> None:
    append(service, "ns", [told(name, f"tea and {name}", "one") for name in ("rain", "Oslo", "kernel")])
    assert_never_received(service, "rain", tmp_path, "tea", "kernel")


def test_neighbours_of_an_erased_turn_become_neighbours(service: MemoryService, tmp_path: Path) -> None:
    words = ("tea", "rain", "Oslo", "kernel", "bicycle", "sister")
    append(service, "ns", [told(word, f"something of the {word}", "one") for word in words])
    work(service)
    service.search(["ns"], _request("tea"))  # the index is in memory, and follows the erasures
    service.erase_episode("ns", "sister")
    assert_never_received(service, "Oslo", tmp_path, *words)


def test_a_name_whose_speaker_said_nothing_that_is_left_is_a_word_like_others(
    service: MemoryService, tmp_path: Path
) -> None:
    episodes = [
        told("gone", "hello there", speaker="Mira"),
        told("of-mira", "Mira likes tea", speaker="Jonas"),
        told("tea", "green tea leaves", speaker="Jonas"),
    ]
    append(service, "ns", episodes)
    work(service)
    service.search(["ns"], _request("tea"))
    assert_never_received(service, "gone", tmp_path, "Mira tea")


def test_a_speaker_who_speaks_again_after_all_they_said_was_erased_is_a_name_again(
    service: MemoryService, tmp_path: Path
) -> None:
    append(service, "ns", [told("gone", "hello there", speaker="Mira"), told("tea", "green tea leaves")])
    work(service)
    service.search(["ns"], _request("tea"))
    service.erase_episode("ns", "gone")
    service.search(["ns"], _request("tea"))
    append(service, "ns", [told("again", "it rains", speaker="Mira")])
    work(service)
    assert_as_if_never_received(service, tmp_path, "Mira tea")


def test_the_same_question_asked_twice_has_the_same_answer(service: MemoryService) -> None:
    append(service, "ns", [told("one", "green tea leaves", speaker="Jonas")])
    work(service)
    service.search(["ns"], _request("tea"))
    append(service, "ns", [told("two", "Mira likes tea", speaker="Jonas"), told("three", "hello", speaker="Mira")])
    work(service)
    first, again = (scores(service, "ns", "Mira tea").expected for _ in range(2))
    assert first == again


@pytest.mark.parametrize("victim", ["e5", "e9"])
def test_links_by_a_shared_name_do_not_depend_on_erased_episodes_that_were_not_linked(
    service: MemoryService, tmp_path: Path, victim: str
) -> None:
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda".split()  # noqa: SIM905
    crowd = [told(f"e{n}", f"{word} {word} met Oslo with Mira and Jonas and Petra") for n, word in enumerate(words)]
    crowd[0] = told("e0", "alpha alpha met Oslo")  # the oldest fits best, and is the eleventh
    append(service, "ns", [*crowd, told("last", "zzz qqq vvv with Oslo")])
    work(service)
    assert_never_received(service, victim, tmp_path)


def test_notes_are_listed_in_the_order_of_a_store_that_never_received_what_was_erased(
    service: MemoryService, tmp_path: Path
) -> None:
    append(service, "ns", [told(name, f"about {name}", "one") for name in ("tea", "rain")])
    append(service, "ns", [told("apart", "nothing in common", "two")])
    work(service)
    service.erase_episode("ns", "tea")
    work(service)
    twin = twin_of(service, ["ns"], tmp_path)
    try:
        assert _listed(service) == _listed(twin)
    finally:
        twin.close()


def _request(query: str) -> wire.SearchRequest:
    return wire.SearchRequest(query=query, as_of=AS_OF)


def _listed(service: MemoryService) -> list[str]:
    with service.namespace("ns").snapshot() as snapshot:
        return [note.episode_ids[0] for _, note in snapshot.notes(0, 1000)]
