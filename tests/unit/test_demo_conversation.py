"""The demo conversation is sound: ids, times and answers fit, and its relative dates mean the days they should."""

import json
import re
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from memory_service import limits
from memory_service.instants import parse_instant
from memory_service.wire import AppendRequest

DEMO: dict[str, Any] = json.loads(files("memory_service").joinpath("data/demo_conversation.json").read_text("utf-8"))
TURNS: list[dict[str, Any]] = [turn for session in DEMO["sessions"] for turn in session["turns"]]
BY_ID = {turn["id"]: turn for turn in TURNS}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def when(turn: dict[str, Any]) -> datetime:
    return parse_instant(turn["occurred_at"])


def day_of(turn_id: str) -> date:
    """The speaker's own day."""
    return when(BY_ID[turn_id]).date()


def test_six_sessions_of_two_people_over_about_a_year() -> None:
    assert len(DEMO["sessions"]) == 6
    assert len({session["session_id"] for session in DEMO["sessions"]}) == 6
    assert [12 <= len(session["turns"]) <= 18 for session in DEMO["sessions"]] == [True] * 6
    assert timedelta(days=330) <= when(TURNS[-1]) - when(TURNS[0]) <= timedelta(days=366)
    for session in DEMO["sessions"]:
        assert {turn["speaker"] for turn in session["turns"]} == set(DEMO["people"])
    assert len(DEMO["people"]) == 2


def test_ids_are_unique_and_allowed() -> None:
    assert len(BY_ID) == len(TURNS)
    for name in [*BY_ID, *(session["session_id"] for session in DEMO["sessions"])]:
        assert re.fullmatch(limits.ID_PATTERN, name)


def test_turns_follow_each_other_within_minutes_and_sessions_within_months() -> None:
    for session in DEMO["sessions"]:
        times = [when(turn) for turn in session["turns"]]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(timedelta(seconds=5) <= gap <= timedelta(minutes=3) for gap in gaps)
    starts = [when(session["turns"][0]) for session in DEMO["sessions"]]
    assert all(timedelta(days=30) < later - earlier < timedelta(days=100) for earlier, later in pairwise(starts))


def test_each_time_has_the_offset_of_the_place_its_speaker_is_in() -> None:
    for turn in TURNS:
        abroad = turn["speaker"] == "Ines" and when(turn).date() > date(2025, 3, 29)
        zone = ZoneInfo("Europe/Amsterdam" if abroad else "Europe/London")
        assert when(turn).utcoffset() == when(turn).astimezone(zone).utcoffset(), turn["id"]


def test_every_session_is_a_valid_request() -> None:
    for session in DEMO["sessions"]:
        AppendRequest.model_validate({"session_id": session["session_id"], "episodes": session["turns"]})


def test_questions_name_turns_that_exist_and_were_said_before_they_are_asked() -> None:
    assert 10 <= len(DEMO["questions"]) <= 12
    for question in DEMO["questions"]:
        assert set(question) <= {"question", "as_of", "expect", "answer"}
        assert question["question"].endswith("?")
        assert question["answer"]
        asked = parse_instant(question["as_of"]) if "as_of" in question else when(TURNS[-1])
        assert len(set(question["expect"])) == len(question["expect"])
        assert all(when(BY_ID[turn_id]) <= asked for turn_id in question["expect"])


def test_questions_of_each_kind_are_there() -> None:
    expected = [question["expect"] for question in DEMO["questions"]]
    assert [] in expected, "one that has no answer"
    assert any(len(turns) > 1 for turns in expected), "one that needs several turns"
    assert any("as_of" in question for question in DEMO["questions"]), "one asked from the past"
    assert any("last Tuesday" in question["question"] for question in DEMO["questions"]), "one with a relative date"


# --- dates --------------------------------------------------------------------------------------------------------


def before(day: date, weekday: str) -> date:
    """The latest such weekday before the day."""
    back = (day.weekday() - WEEKDAYS.index(weekday)) % 7 or 7
    return day - timedelta(days=back)


SAID_ON = {
    f"s{n}": date.fromisoformat(session["turns"][0]["occurred_at"][:10])
    for n, session in enumerate(DEMO["sessions"], 1)
}


@pytest.mark.parametrize(
    ("turn_id", "phrase", "meant", "stated"),
    [
        ("s1.t04", "last Monday", before(SAID_ON["s1"], "Monday"), date(2025, 1, 6)),
        ("s1.t05", "on Wednesday", before(SAID_ON["s1"], "Wednesday"), date(2025, 1, 8)),
        ("s1.t15", "since Friday", before(SAID_ON["s1"], "Friday"), date(2025, 1, 10)),
        ("s2.t02", "last Saturday", before(SAID_ON["s2"], "Saturday"), date(2025, 3, 1)),
        ("s2.t09", "yesterday", SAID_ON["s2"] - timedelta(days=1), date(2025, 3, 4)),
        ("s2.t12", "Two weeks ago today", SAID_ON["s2"] - timedelta(weeks=2), date(2025, 2, 19)),
        ("s3.t03", "Three weeks ago today", SAID_ON["s3"] - timedelta(weeks=3), date(2025, 4, 22)),
        ("s3.t12", "yesterday", SAID_ON["s3"] - timedelta(days=1), date(2025, 5, 12)),
        ("s4.t02", "A month ago yesterday", SAID_ON["s4"].replace(month=6) - timedelta(days=1), date(2025, 6, 25)),
        ("s4.t12", "last Sunday", before(SAID_ON["s4"], "Sunday"), date(2025, 7, 20)),
        ("s4.t13", "three days ago", SAID_ON["s4"] - timedelta(days=3), date(2025, 7, 23)),
        ("s4.t14", "a fortnight ago", SAID_ON["s4"] - timedelta(weeks=2), date(2025, 7, 12)),
        ("s5.t01", "A week ago yesterday", SAID_ON["s5"] - timedelta(days=8), date(2025, 9, 20)),
        ("s5.t09", "on Tuesday", before(SAID_ON["s5"], "Tuesday"), date(2025, 9, 23)),
        ("s6.t03", "on Thursday", before(SAID_ON["s6"], "Thursday"), date(2025, 12, 18)),
        ("s6.t07", "three weeks ago", SAID_ON["s6"] - timedelta(weeks=3), date(2025, 11, 29)),
        ("s6.t12", "two weeks ago", SAID_ON["s6"] - timedelta(weeks=2), date(2025, 12, 6)),
    ],
)
def test_relative_words_mean_the_day(turn_id: str, phrase: str, meant: date, stated: date) -> None:
    assert phrase in BY_ID[turn_id]["content"]
    assert meant == stated


def test_days_told_in_one_session_agree_with_those_told_in_another() -> None:
    knee, born, walk = date(2024, 12, 19), date(2025, 6, 19), date(2025, 9, 13)
    assert "19th of December" in BY_ID["s1.t09"]["content"]
    assert "year and a day" in BY_ID["s6.t10"]["content"]
    assert day_of("s6.t10") == knee.replace(year=2025) + timedelta(days=1)
    assert "19th of June, two days late" in BY_ID["s4.t09"]["content"]
    assert "Five weeks to go" in BY_ID["s3.t14"]["content"]
    assert day_of("s3.t14") + timedelta(weeks=5) == born - timedelta(days=2)
    assert "Six months yesterday" in BY_ID["s6.t05"]["content"]
    assert day_of("s6.t05") == born.replace(month=12) + timedelta(days=1)
    assert "eight days" in BY_ID["s5.t02"]["content"]
    assert walk + timedelta(days=7) == day_of("s5.t01") - timedelta(days=8)


def test_feasts_and_clubs_fall_on_their_days() -> None:
    ash_wednesday, easter_monday = date(2025, 3, 5), date(2025, 4, 21)
    assert "this morning, for Lent" in BY_ID["s2.t17"]["content"]
    assert day_of("s2.t17") == ash_wednesday
    assert "Easter Monday" in BY_ID["s3.t16"]["content"]
    assert easter_monday < day_of("s3.t16")
    assert "First Thursday of every month" in BY_ID["s1.t14"]["content"]
    assert "Tomorrow is my last book club" in BY_ID["s2.t11"]["content"]
    tomorrow = day_of("s2.t11") + timedelta(days=1)
    assert tomorrow.day <= 7
    assert WEEKDAYS[tomorrow.weekday()] == "Thursday"
    assert WEEKDAYS[(day_of("s3.t12") - timedelta(days=1)).weekday()] == "Monday", "the Dutch book club's evening"


def test_weekdays_that_are_told_with_their_date_are_right() -> None:
    pattern = re.compile(rf"({'|'.join(WEEKDAYS)}) the (\d+)(?:st|nd|rd|th) of (\w+)")
    told = [match.groups() for turn in TURNS for match in pattern.finditer(turn["content"])]
    assert len(told) >= 3
    for weekday, day, month in told:
        assert f"{datetime.strptime(f'{day} {month} 2025', '%d %B %Y'):%A}" == weekday


def test_answers_give_the_days_that_follow_from_their_turns() -> None:
    answers = {question["question"]: question["answer"] for question in DEMO["questions"]}
    assert "19 February 2025" in answers["On which date did Callum end up in A&E?"]
    assert "23 September" in answers["What did Callum sell last Tuesday?"]
    weeks = (date(2025, 8, 11) - date(2025, 6, 19)).days // 7
    assert weeks == 7
    assert any(answer.startswith("Seven weeks") for answer in answers.values())
