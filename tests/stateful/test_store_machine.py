"""The store against a plain model of it: any order of writes, erasures, work, restarts, rebuilds and moves.

`STATEFUL_PROFILE=long` looks further, each time elsewhere.
"""

import os
import shutil
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from graph.rows import EntityVersion, FactVersion, SourceVersion
from memory_service import wire
from memory_service.clock import FrozenClock
from memory_service.errors import EpisodeConflict, Gone, IdempotencyMismatch, NotFound
from memory_service.log.episodes import Receipt
from memory_service.log.graph import MERGE, RETRACTION
from memory_service.pipeline.rebuild import replay_log
from memory_service.service import MemoryService
from tests.stateful.services import append, digest, new_folder, open_service, work
from tests.stateful.twins import assert_alike, believed, say, twin_of

PROFILES = {
    "ci": settings(max_examples=30, stateful_step_count=25, derandomize=True, database=None),
    "long": settings(max_examples=1500, stateful_step_count=60),
}

NAMESPACES = ("alpha", "beta")
IDS = tuple(f"e{n}" for n in range(12))
SESSIONS = ("monday", "tuesday")
SPEAKERS = ("Mira", "Jonas")
KEYS = ("key-1", "key-2")
TOPICS = (
    "tea with Petra in Oslo",
    "the bicycle broke. Is Petra well?",
    "Oslo was cold, we drank tea",
    "東京に行きました",
    "a kernel of truth about the old bicycle",
    "I moved to Oslo in May",
    "I work at Acme. Petra Holm lives in Bergen",
    "I no longer work at Acme. I live in Bergen",
    "Petra was born on 4 May 1990",
    "Petra was born on 9 July 1971. She works at Acme",
    "Petra Holm works at Globex. My sister Petra lives in Oslo",
)
CHANGES: tuple[dict[str, Any], ...] = (
    {"metadata": {"n": 7}},
    {"speaker": "Petra"},
    {"role": "assistant"},
    {"session_id": "sunday"},
    {"occurred_at": "2026-02-03T10:00:00+01:00"},
)
"""Each alone makes another episode of one that is sent again under its id."""
QUERIES = ["tea", "the old bicycle", "東京", "Oslo and Petra", "what was cold?", "What did Mira say of Jonas in March?"]
MOST_EPISODES = 20
"""In one namespace: more than a note may be related to, and few enough to be quick."""

Episode = dict[str, Any]


# --- the model ----------------------------------------------------------------------------------------------------


@dataclass
class Space:
    """What one namespace must hold."""

    episodes: dict[str, Episode] = field(default_factory=dict)
    """Fields that were sent, by id, in the order of their storing."""
    seqs: dict[str, int] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    answers: dict[str, tuple[list[Episode], list[tuple[str, int]]]] = field(default_factory=dict)
    """The batch and its receipts by Idempotency-Key."""
    unworked: set[str] = field(default_factory=set)
    """Ids that no worker has seen."""
    settled: bool = True
    """Whether everything that lives was worked on since the last change."""

    def refusal(self, batch: list[Episode]) -> type[Exception] | None:
        ids = [episode["id"] for episode in batch if "id" in episode]
        if any(name in self.erased for name in ids):
            return Gone
        known = dict(self.episodes)
        for episode in batch:
            if "id" in episode and complete(known.setdefault(episode["id"], episode)) != complete(episode):
                return EpisodeConflict
        return None

    def store(self, batch: list[Episode], receipts: list[tuple[str, int]]) -> None:
        for episode, (name, seq) in zip(batch, receipts, strict=True):
            if name not in self.episodes:
                self.episodes[name], self.seqs[name] = episode, seq
                self.unworked.add(name)
                self.settled = False

    def erase(self, names: list[str]) -> None:
        for name in names:
            del self.episodes[name], self.seqs[name]
            self.unworked.discard(name)
            self.erased.add(name)
            self.settled = False

    def in_session(self, session: str) -> list[str]:
        return [name for name, episode in self.episodes.items() if complete(episode)["session_id"] == session]


def complete(episode: Episode) -> Episode:
    """With what the contract says of omitted fields."""
    return {"session_id": "default", "kind": "message", "role": None, "speaker": None, "metadata": {}} | {
        name: value for name, value in episode.items() if name != "id"
    }


# --- what is sent -------------------------------------------------------------------------------------------------


def word_of(name: str, variant: int) -> str:
    """A word that only this variant of this episode holds."""
    return f"w{name}v{variant}k"


def fields(name: str | None) -> st.SearchStrategy[Episode]:
    """An episode. Few ids, and two variants of each: the same comes back, and so does what conflicts with it."""
    return st.integers(0, 1 if name else 10**6).map(lambda variant: fields_of(name, variant))


def fields_of(name: str | None, variant: int) -> Episode:
    text = f"{word_of(name or 'anon', variant)} : {TOPICS[hash_of(name, variant) % len(TOPICS)]}"
    plain = hash_of(name, variant) % 3
    episode: Episode = {"content": text, "occurred_at": f"2026-0{1 + variant % 5}-03T10:00:00+02:00"}
    if plain == 1:
        episode |= {"session_id": SESSIONS[variant % 2], "speaker": SPEAKERS[variant % 2], "metadata": {"n": variant}}
    elif plain == 2:
        talk = {"session_id": SESSIONS[variant % 2], "speaker": SPEAKERS[len(text) % 2], "role": "user"}
        episode |= talk | {"kind": "json", "content": {"said": text}}
    return episode | ({"id": name} if name else {})


def hash_of(name: str | None, variant: int) -> int:
    """Not Python's own, which differs from run to run."""
    return sum((name or "").encode()) + 7 * variant


names = st.one_of(st.none(), st.sampled_from(IDS), st.sampled_from(IDS))
keys = st.sampled_from([None, None, *KEYS])
batches = st.lists(names.flatmap(fields), min_size=1, max_size=4)
new_batches = st.lists(st.sampled_from(IDS).flatmap(fields), min_size=3, max_size=6)
spaces = st.sampled_from(NAMESPACES)


# --- the machine --------------------------------------------------------------------------------------------------


class StoreMachine(RuleBasedStateMachine):
    """Does the same to the service and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(mkdtemp(prefix="machine-"))
        self.model: dict[str, Space] = {}
        self.clock = FrozenClock()
        self.newest = 0
        self.looked_at: dict[str, Space] = {}
        """What the lists were last compared with."""

    @initialize(alpha=new_batches, beta=new_batches, worked=st.booleans())
    def begin(self, alpha: list[Episode], beta: list[Episode], worked: bool) -> None:
        self.folder = new_folder(self.root)
        self.service: MemoryService = open_service(self.folder, self.clock)
        self.append_new("alpha", alpha, None)
        self.append_new("beta", beta, None)
        if worked:
            self._work()

    def teardown(self) -> None:
        if hasattr(self, "service"):
            self.service.close()
        shutil.rmtree(self.root)

    # --- writing --------------------------------------------------------------------------------------------------

    @rule(name=spaces, batch=batches, key=keys)
    def append(self, name: str, batch: list[Episode], key: str | None) -> None:
        space = self.model.get(name, Space())
        if len(space.episodes) + len(batch) > MOST_EPISODES:
            return
        if key in space.answers:
            self._repeat(name, space, batch, str(key))
        elif (refusal := space.refusal(batch)) is not None:
            with pytest.raises(refusal):
                append(self.service, name, batch, key)
        else:
            receipts = plain(append(self.service, name, batch, key))
            self._check_receipts(space, batch, receipts)
            space.store(batch, receipts)
            self.model[name] = space
            if key is not None:
                space.answers[key] = batch, receipts

    @rule(name=spaces, batch=new_batches, key=keys)
    def append_new(self, name: str, batch: list[Episode], key: str | None) -> None:
        """Only what was never there: nearly always stored."""
        space = self.model.get(name, Space())
        known = {*space.episodes, *space.erased}
        new = {episode["id"]: episode for episode in batch if episode["id"] not in known}
        if new:
            self.append(name, list(new.values()), None if key in space.answers else key)

    @rule(name=spaces, changed=st.sampled_from([{}, *CHANGES]), data=st.data())
    def append_known(self, name: str, changed: Episode, data: st.DataObject) -> None:
        """Something that lives or was erased, with another in its batch: the same again, 409 or 410."""
        space = self.model.get(name, Space())
        if known := sorted({*space.episodes, *space.erased} & set(IDS)):
            chosen = data.draw(st.sampled_from(known))
            sent = space.episodes.get(chosen, fields_of(chosen, 0))
            self.append(name, [fields_of(None, 99), sent | changed], None)

    def _repeat(self, name: str, space: Space, batch: list[Episode], key: str) -> None:
        first, receipts = space.answers[key]
        if batch != first:
            refusal = IdempotencyMismatch
        elif any(space.seqs.get(stored) != seq for stored, seq in receipts):
            refusal = Gone
        else:
            assert plain(append(self.service, name, batch, key)) == receipts
            return
        with pytest.raises(refusal):
            append(self.service, name, batch, key)

    def _check_receipts(self, space: Space, batch: list[Episode], receipts: list[tuple[str, int]]) -> None:
        given: dict[str, int] = {}
        for episode, (name, seq) in zip(batch, receipts, strict=True):
            assert name == episode.get("id", name)
            before = space.seqs.get(name) or given.get(name)
            assert seq == before if before is not None else seq > self.newest
            given[name] = seq
            self.newest = max(self.newest, seq)

    @rule(name=spaces, key=st.sampled_from(KEYS))
    def send_again(self, name: str, key: str) -> None:
        """A client repeats a request that was answered: the first answer, or that what it stored was erased since."""
        space = self.model.get(name, Space())
        if key in space.answers:
            self._repeat(name, space, space.answers[key][0], key)

    # --- erasing --------------------------------------------------------------------------------------------------

    @rule(name=spaces, episode=st.sampled_from(IDS), data=st.data())
    def erase_episode(self, name: str, episode: str, data: st.DataObject) -> None:
        space = self.model.get(name, Space())
        living = sorted(set(space.episodes) & set(IDS))
        if living and data.draw(st.booleans()):
            episode = data.draw(st.sampled_from(living))
        if episode in space.episodes:
            self._erase(name, episode)
        elif episode in space.erased:
            assert self.service.erase_episode(name, episode), "asked again, it is still erased"
        else:
            with pytest.raises(NotFound):
                self.service.erase_episode(name, episode)

    def _erase(self, name: str, episode: str) -> None:
        assert self.service.erase_episode(name, episode)
        self.model[name].erase([episode])

    @rule(name=spaces, what=st.sampled_from([*SESSIONS, None]))
    def erase_more(self, name: str, what: str | None) -> None:
        """A session, or the namespace."""
        space = self.model.get(name, Space())
        erase = (lambda: self.service.erase_session(name, what)) if what else lambda: self.service.erase_namespace(name)
        if not (space.in_session(what) if what else name in self.model):
            with pytest.raises(NotFound):
                erase()
            return
        assert erase()
        if what:
            space.erase(space.in_session(what))
        else:
            del self.model[name]

    # --- operating ------------------------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["work", "work", "work", "restart", "rebuild"]))
    def operate(self, what: str) -> None:
        getattr(self, f"_{what}")()

    def _work(self) -> None:
        self.clock.advance(1)
        work(self.service)
        for space in self.model.values():
            space.unworked.clear()
            space.settled = True

    def _restart(self) -> None:
        self.looked_at = {}
        self.service.close()
        self.service = open_service(self.folder, self.clock)

    def _rebuild(self) -> None:
        self.looked_at = {}
        before = digest(self.service, history=True)
        replay_log(self.service.store, self.folder / "index")
        assert digest(self.service, history=True) == before

    @rule(name=spaces, a=st.integers(0, 99), b=st.integers(0, 99), what=st.sampled_from(["same", "other", "untrue"]))
    def say(self, name: str, a: int, b: int, what: str) -> None:
        """Somebody says that two are one, that they are two, or that something is not so."""
        found = believed(self.service, name)
        people = sorted({row.id for row in found if isinstance(row, EntityVersion)})
        facts = sorted({row.id for row in found if isinstance(row, FactVersion)})
        if what == "untrue" and facts:
            fact = facts[a % len(facts)]
            sources = sorted(
                row.assertion_id for row in found if isinstance(row, SourceVersion) and row.fact_id == fact
            )
            say(self.service, name, RETRACTION, {"fact_id": fact, "assertion_ids": sources, "reason": f"said {b}"})
        elif what != "untrue" and len(people) > 1 and a % len(people) != b % len(people):
            pair = {"a": people[a % len(people)], "b": people[b % len(people)]}
            say(self.service, name, MERGE, pair | {"is_same": what == "same", "reason": ""})

    @rule(name=spaces, worked=st.booleans())
    def move(self, name: str, worked: bool) -> None:
        """Exported and imported into a fresh store, it is the same, and the same work is left to do."""
        if name not in self.model:
            return
        lines = [f"{line}\n".encode() for line in self.service.export(name)]
        other = open_service(new_folder(self.root), self.clock)
        try:
            assert other.import_lines(name, lines).episodes == len(self.model[name].episodes)
            assert digest(other, name) == digest(self.service, name)
            assert other.import_lines(name, lines).skipped == len(self.model[name].episodes)
            if worked:
                self._erase_in_both(name, other)
                self._work()
                work(other)
                assert digest(other, name) == digest(self.service, name)
        finally:
            other.close()

    def _erase_in_both(self, name: str, other: MemoryService) -> None:
        """What was made from it is made anew in both: where it came from was moved too."""
        if self.model[name].episodes:
            oldest = next(iter(self.model[name].episodes))
            assert other.erase_episode(name, oldest)
            self._erase(name, oldest)

    @rule(name=spaces, which=st.integers(0, MOST_EPISODES - 1))
    def compare_with_a_store_that_never_received_what_was_erased(self, name: str, which: int) -> None:
        space = self.model.get(name, Space())
        if space.episodes:
            self._erase(name, list(space.episodes)[which % len(space.episodes)])
        if not space.erased:
            return
        self._work()
        twin = twin_of(self.service, [name], self.root)
        try:
            assert_alike(self.service, twin, name, QUERIES)
        finally:
            twin.close()

    # --- asking ---------------------------------------------------------------------------------------------------

    @rule(name=spaces, data=st.data())
    def find(self, name: str, data: st.DataObject) -> None:
        """By its own word, from the moment it is stored; and not at all from the moment it is erased."""
        space = self.model.get(name, Space())
        for sent in space.episodes.values():
            best = self._best(name, first_word(sent))
            assert best is not None
            assert first_word(space.episodes[best]) == first_word(sent)
        for episode in sorted(space.erased & set(IDS)):
            assert self._best(name, word_of(episode, data.draw(st.integers(0, 1)))) is None

    def _best(self, name: str, word: str) -> str | None:
        """By words alone: the test embedder's part of the score is mostly noise."""
        request = wire.SearchRequest(query=word, limit=200, explain=True)
        results = self.service.search([name], request).results
        best = max(results, key=lambda result: (result.explain or {})["lexical"], default=None)
        return best.id if best is not None and (best.explain or {})["lexical"] > 0 else None

    @rule(name=spaces, episode=st.sampled_from(IDS))
    def look_at_one(self, name: str, episode: str) -> None:
        space = self.model.get(name, Space())
        if episode in space.episodes:
            assert self.service.episode(name, episode).seq == space.seqs[episode]
            assert self.service.status(name, episode).status in self._possible(space, episode)
        else:
            for ask in (self.service.episode, self.service.status):
                with pytest.raises(Gone if episode in space.erased else NotFound):
                    ask(name, episode)

    def _possible(self, space: Space, episode: str) -> set[str]:
        if episode in space.unworked:
            return {"stored"}
        return {"enriched"} if space.settled else {"enriched", "indexed"}

    # --- what always holds ----------------------------------------------------------------------------------------

    @invariant()
    def lists_are_as_the_model_says(self) -> None:
        if self.looked_at == self.model:
            return
        listed = [(item.name, item.episodes) for item in self.service.namespaces("", 10)]
        assert listed == [(name, len(space.episodes)) for name, space in sorted(self.model.items())]
        changed = [name for name in NAMESPACES if self.model.get(name) != self.looked_at.get(name)]
        self.looked_at = deepcopy(self.model)
        for name in changed:
            space = self.model.get(name, Space())
            self._check_episodes(name, space)
            self._check_sessions(name, space)
            self._check_notes(name, space)

    def _check_episodes(self, name: str, space: Space) -> None:
        with self.service.namespace(name).snapshot() as snapshot:
            first = snapshot.episodes(0, 3)
            listed = first + snapshot.episodes(first[-1].seq, 1000) if first else []
        assert [episode.id for episode in listed] == list(space.episodes)
        for episode in listed:
            sent = complete(space.episodes[episode.id])
            assert episode.occurred_at == datetime.fromisoformat(sent.pop("occurred_at"))
            assert {field: getattr(episode, field) for field in sent} == sent
            assert episode.status in self._possible(space, episode.id)

    def _check_sessions(self, name: str, space: Space) -> None:
        with self.service.namespace(name).snapshot() as snapshot:
            listed = {session.id: session.episodes for session in snapshot.sessions("", 10)}
        wanted = {session: len(space.in_session(session)) for session in (*SESSIONS, "default")}
        assert listed == {session: count for session, count in wanted.items() if count}

    def _check_notes(self, name: str, space: Space) -> None:
        with self.service.namespace(name).snapshot() as snapshot:
            found = [note for _, note in snapshot.notes(0, 1000)]
        noted, worked = {note.episode_ids[0] for note in found}, set(space.episodes) - space.unworked
        assert noted == worked if space.settled else noted <= worked
        told = " ".join(f"{note.content} {note.context} {note.keywords}" for note in found)
        assert not [name for name in space.erased if f"w{name}v" in told], "no note tells of what was erased"


def plain(receipts: list[Receipt]) -> list[tuple[str, int]]:
    return [(receipt.id, receipt.seq) for receipt in receipts]


def first_word(episode: Episode) -> str:
    content = episode["content"]
    return (content if isinstance(content, str) else content["said"]).split(" ")[0]


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    PROFILES[os.environ.get("STATEFUL_PROFILE", "ci")],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
