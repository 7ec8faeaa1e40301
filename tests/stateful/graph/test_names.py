"""Episodes about people of like names: erased, replayed, decided upon, and in any order of arrival.

`STATEFUL_PROFILE=long` looks further, each time elsewhere.
"""

import os
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from graph.ids import assertion_id
from graph.ledger.schema import members, nodes
from graph.model import Claim, Extraction, Mention, Source
from graph.planner import Planner
from graph.planner.erase import erase_episodes
from graph.stores.port import EntityFilter, FactFilter, Moment
from tests.stateful.graph.crowds import Chat, Step, crowds, numbered, stories
from tests.stateful.graph.questions import ALL
from tests.stateful.graph.worlds import NAMESPACE, Log, digest_of, id_of, new_planner, received, replayed, view_of

LONG = os.environ.get("STATEFUL_PROFILE") == "long"
QUICK = settings(
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def times(count: int) -> int:
    return 100 * count if LONG else count


def happened(steps: Sequence[Step]) -> tuple[Planner, Log]:
    """The graph to which it happened, and what the log has of it."""
    planner, log, seq = new_planner("live"), Log(), 0
    claims: list[str] = []
    for moment, step in enumerate(steps, 1):
        for chat in step.chats:
            seq += 1
            log.episodes[seq], log.recorded_at[seq] = (chat.source(seq), chat.extraction), moment
            claims += [assertion_id(NAMESPACE, chat.id, place) for place in range(len(chat.extraction.claims))]
        if step.retracted is not None and claims:
            log.retractions.setdefault(claims[step.retracted % len(claims)], moment)
        if step.decided is not None and (known := _nodes(planner)):
            one, other, is_same = step.decided
            a, b = known[one % len(known)], known[other % len(known)]
            if a != b:
                seq += 1
                log.decisions[seq] = a, b, moment, is_same
        log.keep_in(planner, moment)
        planner.process(moment)
    return planner, log


def _nodes(planner: Planner) -> list[str]:
    return list(planner.ledger.connection.execute(select(nodes.c.id).order_by(nodes.c.id)).scalars())


def chosen(picks: set[int], log: Log) -> set[int]:
    living = sorted(log.episodes)
    return {living[pick % len(living)] for pick in picks if living}


def state_of(planner: Planner) -> tuple[str, list[object]]:
    """What the graph answers, and who was one with whom when."""
    moves = planner.ledger.connection.execute(select(members).order_by(members.c.node_id, members.c.created_at))
    return digest_of(planner), [tuple(row) for row in moves]


victims = st.sets(st.integers(0, 20), min_size=1, max_size=3)


@settings(QUICK, max_examples=times(40))
@given(stories(), victims, victims)
def test_an_erased_episode_was_never_received(steps: list[Step], first: set[int], second: set[int]) -> None:
    live, log = happened(steps)
    for picks in (first, second):
        gone = chosen(picks, log)
        log = log.without(gone, erase_episodes(live, gone).decisions)
        assert state_of(live) == state_of(received(log))


def test_an_erasure_decides_nothing_anew_about_those_it_does_not_touch() -> None:
    """A decision of a replayed moment must not be followed among names that were only told, or decided upon, later."""
    tea = Claim(0, "likes", "tea")
    told = [
        Extraction(tuple(Mention(name, "Person") for name in ("Katherine Jones", "Bob", "Mel")), ()),
        Extraction((Mention("Katherine Jones", "Person"),), (tea,)),
        Extraction((Mention("Katherine", "Person"),), ()),
        Extraction((Mention("Katherine Jones", "Person"),), (tea,)),
    ]
    log = Log(recorded_at={seq: seq for seq in range(1, 5)})
    log.episodes = {seq: (Source(f"e{seq}", seq, "s", "xyz", None, None, 0), own) for seq, own in enumerate(told, 1)}
    log.decisions = {
        8 + seq: (id_of("Katherine Jones"), id_of(who), seq, True) for seq, who in ((2, "Bob"), (5, "Mel"))
    }
    live = received(log, "live")
    assert erase_episodes(live, [4]).decisions == []
    assert state_of(live) == state_of(received(log.without([4], [])))


@settings(QUICK, max_examples=times(15))
@given(stories(), victims, crowds(1, 3))
def test_what_arrives_after_an_erasure_finds_no_trace_of_it(
    steps: list[Step], picks: set[int], later: list[Chat]
) -> None:
    live, log = happened(steps)
    gone = chosen(picks, log)
    log = log.without(gone, erase_episodes(live, gone).decisions)
    twin = received(log)
    for place, chat in enumerate(numbered(later, "late"), 100):
        for planner in (live, twin):
            planner.add([(chat.source(place), chat.extraction)], place)
        assert state_of(live) == state_of(twin)


@settings(QUICK, max_examples=times(15))
@given(stories())
def test_a_replay_of_the_log_gives_the_same_graph(steps: list[Step]) -> None:
    live, log = happened(steps)
    again = replayed(log)
    assert state_of(again) == state_of(live)
    again.process(log.moments()[-1])
    assert state_of(again) == state_of(live), "planning the newest moment again changes nothing"


@settings(QUICK, max_examples=times(25))
@given(crowds(), st.randoms(use_true_random=False), st.lists(st.integers(0, 7), max_size=3, unique=True))
def test_the_order_of_arrival_does_not_decide_what_was_true_when(
    chats: list[Chat], random: Random, joints: list[int]
) -> None:
    one, _ = happened([Step((chat,)) for chat in chats])
    wanted = valid_times(one)
    mixed = random.sample(chats, len(chats))
    cuts = [0, *sorted(joint for joint in joints if 0 < joint < len(mixed)), len(mixed)]
    batches = [Step(tuple(mixed[cut:end])) for cut, end in pairwise(cuts)]
    other, _ = happened(batches)
    assert valid_times(other) == wanted


def valid_times(planner: Planner) -> list[str]:
    """What was true when, as known now: all but the ids that say who was named first, and the words of the first source."""
    view = view_of(planner)
    entities = {entity.id: entity for entity in view.entities(EntityFilter(), None, "", ALL)}
    own = planner.ledger.nodes_of(entities, 2**62)
    people = {id: (own[id], entity.aliases, entity.type) for id, entity in entities.items()}
    facts = view.facts(FactFilter(), Moment(), None, ALL)
    sources = view.sources([fact.id for fact in facts], None)
    found = [
        (
            people[fact.subject_id],
            fact.predicate,
            people[fact.object_id] if fact.object_id else fact.object_text,
            (fact.valid_at, fact.invalid_at, fact.basis, fact.precision),
            (fact.closed_by, fact.close_rule),
            (fact.qualifiers, fact.confidence),
            sources[fact.id],
        )
        for fact in facts
    ]
    return [*sorted(map(repr, people.values())), *sorted(map(repr, found))]
