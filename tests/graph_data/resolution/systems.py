"""Ways to tell which mentions are one entity: ours, equal names, and the thresholds of Graphiti.

Graphiti (Apache 2.0) documents in `graphiti_core/utils/maintenance/dedup_helpers.py` what it decides before it asks a model:
names equal in lower case with spaces collapsed; else, unless the name is short (under 6 characters and one word) or the entropy
of its characters is under 1.5 bits, the most alike by Jaccard over sets of three characters, from .9 on. Those thresholds are
here written anew as a yardstick; every pair is compared, so that its MinHash index misses nothing. The model that it asks about
the rest is not part of this.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from graph.resolution.blocks import Atom, split
from graph.resolution.clusters import Node, resolve
from graph.resolution.evidence import NOTHING, Evidence, merge
from graph.resolution.linking import link_all
from graph.resolution.names import name_key
from graph.resolution.rules import NameForm
from tests.graph_data.resolution.dataset import Mention

System: TypeAlias = Callable[[Sequence[Mention]], dict[str, str]]
"""From mentions of one namespace to an entity for each mention's id."""


def ours(mentions: Sequence[Mention]) -> dict[str, str]:
    return _resolved(mentions, [mention.evidence for mention in mentions])


def ours_by_name(mentions: Sequence[Mention]) -> dict[str, str]:
    """Without dates, intervals and keys: what names and types alone give."""
    return _resolved(mentions, [Evidence(type=mention.type) for mention in mentions])


def _resolved(mentions: Sequence[Mention], evidence: Sequence[Evidence]) -> dict[str, str]:
    atoms: dict[str, list[Atom]] = {}
    for mention, known in zip(mentions, evidence, strict=True):
        atom = Atom(mention.session, mention.occurred_at, mention.id, known)
        atoms.setdefault(name_key(mention.name), []).append(atom)
    nodes: list[Node] = []
    named: list[tuple[str, NameForm]] = []
    node_of: dict[str, str] = {}
    for key, all_of_key in atoms.items():
        for number, group in enumerate(split(all_of_key)):
            together = NOTHING
            for atom in group:
                together = merge(together, atom.evidence)
                node_of[atom.id] = f"{key}#{number}"
            nodes.append(Node(f"{key}#{number}", together))
            named.append((f"{key}#{number}", NameForm(key, together.type)))
    entity_of = {id: cluster.members[0] for cluster in resolve(nodes, link_all(named)) for id in cluster.members}
    return {mention: entity_of[node] for mention, node in node_of.items()}


def exact(mentions: Sequence[Mention]) -> dict[str, str]:
    return {mention.id: _plain(mention.name) for mention in mentions}


# --- Graphiti's thresholds ------------------------------------------------------------------------------------------

JACCARD: Final = 0.9
MIN_ENTROPY_BITS: Final = 1.5
MIN_CHARS: Final = 6


def graphiti_thresholds(mentions: Sequence[Mention]) -> dict[str, str]:
    entity_of_name: dict[str, str] = {}
    shingles: dict[str, set[str]] = {}
    for mention in mentions:
        name = _plain(mention.name)
        if name in entity_of_name:
            continue
        mine = _shingles(name)
        alike = sorted(((-_jaccard(mine, theirs), other) for other, theirs in shingles.items()))
        is_alike = bool(alike) and -alike[0][0] >= JACCARD and _is_telling(name)
        entity_of_name[name] = entity_of_name[alike[0][1]] if is_alike else name
        shingles[name] = mine
    return {mention.id: entity_of_name[_plain(mention.name)] for mention in mentions}


def _plain(name: str) -> str:
    return " ".join(name.lower().split())


def _shingles(name: str) -> set[str]:
    text = re.sub(r"[^a-z0-9']", "", name)
    return {text[i : i + 3] for i in range(len(text) - 2)} or ({text} if text else set())


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _is_telling(name: str) -> bool:
    letters = Counter(name.replace(" ", ""))
    total = sum(letters.values())
    entropy = -sum(count / total * math.log2(count / total) for count in letters.values())
    return not (len(name) < MIN_CHARS and len(name.split()) < 2) and entropy >= MIN_ENTROPY_BITS


SYSTEMS: Final[dict[str, System]] = {
    "rules and evidence (ours)": ours,
    "rules alone (ours)": ours_by_name,
    "equal names": exact,
    "Graphiti's thresholds": graphiti_thresholds,
}
