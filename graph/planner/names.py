"""From mentions to nodes: all mentions of one name are one node, unless evidence splits them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graph import limits
from graph.ids import node_id
from graph.ledger.rows import evidence_json, evidence_of, scalars_json, scalars_of
from graph.ledger.schema import blocks, nodes
from graph.ledger.store import Ledger
from graph.resolution.blocks import Atom, split
from graph.resolution.evidence import NOTHING, Evidence, conflict, merge

Row = dict[str, Any]
_NOTHING_JSON: Final = "null"


@dataclass(slots=True)
class Placed:
    """What placing mentions did."""

    new: set[str] = field(default_factory=set[str])
    """Nodes that were not there."""
    changed: set[str] = field(default_factory=set[str])
    """Nodes of which something is known that was not: a spelling, a type, evidence, an attribute."""
    telling: set[str] = field(default_factory=set[str])
    """Those among them whose evidence changed."""
    renamed: set[str] = field(default_factory=set[str])
    """Those among them that have a key from outside and a further name."""
    moved: set[str] = field(default_factory=set[str])
    """Nodes whose mentions went to or came from another."""


def place_mentions(ledger: Ledger, rows: Sequence[Row], now: int) -> Placed:
    """Gives every mention its node, and brings the nodes up to date."""
    placed = Placed()
    by_block: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_block[row["block"]].append(row)
    known = ledger.blocks(by_block)
    shared: list[Row] = []
    moves: list[tuple[int, int, str]] = []
    remembered: list[Row] = []
    for block, own in by_block.items():
        summary = _together(known.get(block), own)
        if summary is None:
            _split(ledger, known.get(block), own, now, placed)
        else:
            node = node_id(ledger.namespace, block)
            moves += _moves(own, node)
            shared += [row | {"node_id": node} for row in own]
            remembered += _remembered_block(known.get(block), block, summary)
    ledger.place(moves)
    ledger.upsert(blocks, remembered)
    _update_nodes(ledger, shared, placed)
    return placed


def _together(known: Row | None, own: Sequence[Row]) -> Evidence | None:
    """Their evidence in one where everybody of the name can be one entity without a closer look, else None."""
    if known is not None and known["people"] > 1:
        return None
    summary = NOTHING if known is None or known["evidence"] == _NOTHING_JSON else evidence_of(known["evidence"])
    for row in own:
        evidence = evidence_of(row["evidence"])
        if conflict(summary, evidence) is not None:
            return None
        summary = merge(summary, evidence)
    return summary


def _remembered_block(known: Row | None, block: str, summary: Evidence, people: int = 1) -> list[Row]:
    """The block's row, unless it says so already."""
    text = evidence_json(summary) or _NOTHING_JSON
    if known is not None and (known["evidence"], known["people"]) == (text, people):
        return []
    return [{"block": block, "evidence": text, "people": people}]


def _moves(rows: Iterable[Row], node: str) -> list[tuple[int, int, str]]:
    return [(row["episode_seq"], row["place"], node) for row in rows if row["node_id"] != node]


# --- a name that several share --------------------------------------------------------------------------------------


def _split(ledger: Ledger, known: Row | None, own: Sequence[Row], now: int, placed: Placed) -> None:
    """Looks at all mentions of a name again. Which of them go together does not depend on their arrival."""
    block = own[0]["block"]
    rows = ledger.block_mentions(block, now)
    before = {row["id"]: row for row in ledger.nodes_in([block])}
    by_atom = {_atom_id(row): row for row in rows}
    groups = split([_atom(row) for row in rows])
    made: dict[str, list[Row]] = {}
    for place, group in enumerate(groups):
        node = node_id(ledger.namespace, block, "" if place == 0 else group[0].id)
        made[node] = [by_atom[atom.id] for atom in group]
    fresh = {_atom_id(row) for row in own}
    for node, members in made.items():
        # What arrives now, or is placed again, comes from nowhere.
        moving = [row for row in members if row["node_id"] not in ("", node) and _atom_id(row) not in fresh]
        if moving:
            placed.moved |= {node, *(row["node_id"] for row in moving)}
        ledger.place(_moves(members, node))
        _remake_node(ledger, node, sorted(members, key=_arrival), before.get(node), placed)
        if any(_atom_id(row) in fresh for row in members):
            placed.changed.add(node)
    placed.moved |= before.keys() - made.keys()
    ledger.forget_nodes(before.keys() - made.keys(), [])
    # A name that was ever shared is looked at closely for good.
    people = max(len(groups), known["people"] if known else 1)
    ledger.upsert(blocks, _remembered_block(known, block, NOTHING if people > 1 else _sum(rows), people))


def _atom_id(row: Row) -> str:
    return f"{row['episode_id']}#{row['place']}"


def _atom(row: Row) -> Atom:
    return Atom(
        row["session_id"], row["occurred_at"], _atom_id(row), evidence_of(row["evidence"]), bool(row["is_self"])
    )


def _sum(rows: Iterable[Row]) -> Evidence:
    evidence = NOTHING
    for row in rows:
        evidence = merge(evidence, evidence_of(row["evidence"]))
    return evidence


def _arrival(row: Row) -> tuple[int, int]:
    return row["episode_seq"], row["place"]


def _remake_node(ledger: Ledger, node: str, rows: Sequence[Row], before: Row | None, placed: Placed) -> None:
    made = _new_node(node, rows[0])
    for row in rows:
        made = _told(made, row)
    (placed.new if before is None else placed.changed).add(node)
    placed.telling.add(node)
    placed.renamed.add(node)
    ledger.upsert(nodes, [made])


# --- nodes ------------------------------------------------------------------------------------------------------------


def _update_nodes(ledger: Ledger, rows: Sequence[Row], placed: Placed) -> None:
    """Tells nodes of their new mentions; most tell nothing new."""
    known = ledger.nodes({row["node_id"] for row in rows})
    current = dict(known)
    for row in rows:
        node = row["node_id"]
        current[node] = _told(current.get(node) or _new_node(node, row), row)
    changed = [row for node, row in current.items() if known.get(node) != row]
    for row in changed:
        before = known.get(row["id"])
        (placed.new if before is None else placed.changed).add(row["id"])
        if before is None or before["evidence"] != row["evidence"]:
            placed.telling.add(row["id"])
        if before is not None and row["block"].startswith("#") and before["surfaces"] != row["surfaces"]:
            placed.renamed.add(row["id"])
    ledger.upsert(nodes, changed)


def _new_node(node: str, row: Row) -> Row:
    return {
        "id": node,
        "block": row["block"],
        "name_key": row["name_key"],
        "first_seq": row["episode_seq"],
        "first_place": row["place"],
        "first_at": row["recorded_at"],
        "name": row["name"],
        "type": row["type"],
        "surfaces": "[]",
        "evidence": _NOTHING_JSON,
        "attributes": "{}",
        "entity_id": node,
    }


def _told(node: Row, mention: Row) -> Row:
    """The node after one more mention."""
    changed: Row = {}
    surfaces: list[str] = json.loads(node["surfaces"])
    if mention["name"] not in surfaces and len(surfaces) < limits.MAX_LISTED_ALIASES:
        changed["surfaces"] = json.dumps([*surfaces, mention["name"]], ensure_ascii=False)
    if mention["evidence"] is not None and mention["evidence"] != node["evidence"]:
        evidence = merge(node_evidence(node), evidence_of(mention["evidence"]))
        changed["evidence"] = evidence_json(evidence) or _NOTHING_JSON
        changed["type"] = evidence.type
    if mention["attributes"] is not None:
        changed["attributes"] = scalars_json(scalars_of(node["attributes"]) | scalars_of(mention["attributes"]))
    return node | changed if changed else node


def node_evidence(node: Row) -> Evidence:
    """What a node's mentions say that can tell it from others."""
    return evidence_of(None if node["evidence"] == _NOTHING_JSON else node["evidence"])
