"""A conversation of our own in LoCoMo's format, for the regression check: seeded, so always the same.

Two friends meet thirty times. In each meeting things happen to them (the evidence) among small talk and things that happen to
others. Questions ask for them in other words; some need two meetings, some name a date, some a thing that is answered a turn
after it was named.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

FRIENDS = ("Mara", "Theo")
MEETINGS = 30

EVENTS = [
    ("I finally bought a {0} at the flea market.", "What did {who} pick up second hand?", "purchase"),
    ("My sister gave me a {0} for my birthday.", "Which present did a relative give {who}?", "gift"),
    ("I lost my {0} on the tram this morning.", "What went missing while {who} was travelling?", "loss"),
    ("I spent the weekend repairing an old {0}.", "What did {who} mend?", "repair"),
    ("I sold my {0}, it took up too much room.", "What did {who} get rid of?", "sale"),
    ("We drove to {1} and stayed two nights.", "Where did {who} go on a short trip?", "trip"),
    ("I signed up for a class in {2}.", "Which course did {who} enrol in?", "class"),
    ("I have stopped {2}, my back could not take it.", "What did {who} give up for health reasons?", "stop"),
]
THINGS = (  # noqa: SIM905
    "typewriter telescope accordion kettle raincoat suitcase bicycle sewing-machine chess-set record-player lantern "
    "violin tent microscope armchair mirror barometer harmonica globe toolbox kayak easel drum sledge clock piano"
).split()
TOWNS = "Porto Ghent Bergen Trieste Cork Lund Riga Graz Tartu Bath Bruges Siena Aarhus Zadar Leiden Turku".split()  # noqa: SIM905
HOBBIES = [
    "pottery",
    "fencing",
    "bookbinding",
    "beekeeping",
    "rowing",
    "calligraphy",
    "welding",
    "juggling",
    "astronomy",
    "baking",
    "archery",
    "weaving",
    "woodcarving",
    "yoga",
    "origami",
    "climbing",
]
CHAT = [
    "How have you been since we last met?",
    "The weather has been dreadful, has it not?",
    "I could drink coffee all day.",
    "That reminds me of my neighbour, who bought a {0} and regrets it.",
    "Someone at work goes to {1} every summer.",
    "My cousin keeps talking about {2}.",
    "Did you see the match last night?",
    "I am so tired of meetings.",
    "Tell me more about that!",
    "You always have such stories.",
]


def conversation() -> list[dict[str, Any]]:
    """The file's content."""
    rng = random.Random(20230508)
    turns: dict[str, Any] = {}
    told: list[dict[str, Any]] = []
    for number in range(1, MEETINGS + 1):
        at = datetime(2023, 1, 7, 15, 0, tzinfo=UTC) + timedelta(days=9 * number + rng.randrange(5))
        session, events = _meeting(rng, number, at)
        turns[f"session_{number}_date_time"] = f"{at:%I:%M %p on} {at.day} {at:%B, %Y}".replace("AM", "am").replace(
            "PM", "pm"
        )
        turns[f"session_{number}"] = session
        told += events
    return [{"sample_id": "synthetic", "conversation": turns, "qa": _questions(rng, told)}]


def _meeting(rng: random.Random, number: int, at: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    lines: list[tuple[str, dict[str, Any] | None]] = [(_filled(rng, text)[0], None) for text in rng.sample(CHAT, 6)]
    for text, asked, kind in rng.sample(EVENTS, 4):
        filled, values = _filled(rng, text)
        event = {"asked": asked, "kind": kind, "values": values, "at": at}
        lines.insert(rng.randrange(len(lines) + 1), (filled, event))
    session, events = [], []
    for index, (text, event) in enumerate(lines, 1):
        who = FRIENDS[(index + number) % 2]
        session.append({"speaker": who, "dia_id": f"D{number}:{index}", "text": text})
        if event is not None:
            events.append({**event, "who": who, "id": f"D{number}:{index}"})
    return session, events


def _filled(rng: random.Random, text: str) -> tuple[str, str]:
    values = [rng.choice(options).replace("-", " ") for options in (THINGS, TOWNS, HOBBIES)]
    used = next((value for place, value in enumerate(values) if f"{{{place}}}" in text), "")
    return text.format(*values), used


def _questions(rng: random.Random, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    questions: dict[str, dict[str, Any]] = {}
    for event in events:
        asked = event["asked"].format(who=event["who"])
        dated = f"{asked[:-1]} in {event['at']:%B %Y}?"
        # A month may hold two answers: both are asked for.
        same = [e for e in events if _alike(e, event, "asked") and f"{e['at']:%Y-%m}" == f"{event['at']:%Y-%m}"]
        questions[dated] = _question(dated, same, category=2)
        about = f"What do we know about {event['who']} and the {event['values']}?"
        questions[about] = _question(about, [e for e in events if _alike(e, event, "values")], category=1)
    return [questions[text] for text in sorted(rng.sample(sorted(questions), 120))]


def _alike(one: dict[str, Any], other: dict[str, Any], field: str) -> bool:
    return one["who"] == other["who"] and one[field] == other[field]


def _question(text: str, events: list[dict[str, Any]], category: int) -> dict[str, Any]:
    answer = ", ".join(event["values"] for event in events)
    return {"question": text, "answer": answer, "evidence": [event["id"] for event in events], "category": category}
