"""Draw the sentences that are labelled by hand, once and for all by a seed: `python -m tests.graph_data.sample SESSIONS`.

SESSIONS is LongMemEval's sessions_dev.json (MIT licence, https://github.com/xiaowu0162/LongMemEval). From its user turns:

1. A turn is split at line ends and after ".", "!" or "?" where white space and a capital letter follow.
2. A sentence is kept if it has 4 to 40 words between white space. The same text, whatever its case, is kept once: where it is
   met first.
3. 120 sentences are drawn uniformly without replacement from all.
4. 120 more are drawn uniformly from those not drawn yet that speak of the first person and hold no question mark, because
   few of the others can state a fact about the one who speaks.

Nothing is picked or dropped by hand. The order is that of the draws; the ids, lme-001 to lme-240, count it. The script prints
one JSON object a line without labels. `python -m tests.graph_data.sample --split FILE` reads labelled lines and writes dev.jsonl
and held_out.jsonl beside this file, under labels/: each source is cut into two halves by the same seed.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SEED = 20261124
PER_STRATUM = 120
MIN_WORDS, MAX_WORDS = 4, 40
LABELS = Path(__file__).parent / "labels"

_BOUNDARY = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n+")
_FIRST_PERSON = re.compile(r"\b(I|I'm|I've|my|we|our)\b", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """The parts of a turn that are of a usable length."""
    parts = (part.strip() for part in _BOUNDARY.split(text))
    return [part for part in parts if MIN_WORDS <= len(part.split()) <= MAX_WORDS]


def candidates(sessions: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Every distinct sentence of the user turns with the instant of its session, in ISO format."""
    seen: set[str] = set()
    for session in sessions:
        at = datetime.strptime(session["date"], "%Y/%m/%d (%a) %H:%M").replace(tzinfo=UTC).isoformat()
        for turn in session["turns"]:
            for sentence in sentences(turn["content"]) if turn["role"] == "user" else ():
                if sentence.casefold() not in seen:
                    seen.add(sentence.casefold())
                    yield sentence, at


def is_first_person_statement(sentence: str) -> bool:
    return _FIRST_PERSON.search(sentence) is not None and "?" not in sentence


def draw(sessions: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The sample, in the order drawn, without labels."""
    rng = random.Random(SEED)
    pool = list(candidates(sessions))
    uniform = rng.sample(pool, PER_STRATUM)
    drawn = set(uniform)
    rest = [each for each in pool if each not in drawn and is_first_person_statement(each[0])]
    chosen = uniform + rng.sample(rest, PER_STRATUM)
    return [
        {"id": f"lme-{n:03d}", "text": text, "speaker": "user", "occurred_at": at, "source": "longmemeval"}
        for n, (text, at) in enumerate(chosen, 1)
    ]


def split(lines: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two halves, each source cut by the seed, each half in the order of its ids."""
    rng = random.Random(SEED)
    in_dev: set[str] = set()
    for source in ("longmemeval", "own"):
        ids = sorted(line["id"] for line in lines if line["source"] == source)
        in_dev.update(rng.sample(ids, len(ids) // 2))
    ordered = sorted(lines, key=lambda line: line["id"])
    dev = [line for line in ordered if line["id"] in in_dev]
    return dev, [line for line in ordered if line["id"] not in in_dev]


def _jsonl(lines: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def main(arguments: list[str]) -> None:
    if arguments[0] == "--split":
        lines = [json.loads(line) for line in Path(arguments[1]).read_text(encoding="utf-8").splitlines()]
        for name, half in zip(("dev", "held_out"), split(lines), strict=True):
            (LABELS / f"{name}.jsonl").write_text(_jsonl(half), encoding="utf-8")
    else:
        sys.stdout.write(_jsonl(list(draw(json.loads(Path(arguments[0]).read_text(encoding="utf-8"))))))


if __name__ == "__main__":
    main(sys.argv[1:])
