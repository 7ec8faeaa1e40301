"""Time expressions: what is read, in which offset, and what is not a time."""

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.limits import MAX_EXPRESSIONS, MAX_SCANNED_CHARS
from retrieval.timex import TimeExpression, find_times, overlap

OFFSET = timezone(timedelta(hours=-5))
BASE = datetime(2023, 6, 9, 13, 56, 30, tzinfo=OFFSET)
"""A Friday, 13:56 in an offset of five hours west."""

_UNBOUNDED_START, _UNBOUNDED_END = "0001-01-01", "9999-12-31"


def local(text: str) -> datetime:
    """A local date or time as the tables write it, as an instant; the calendar's ends are no local times."""
    if text == _UNBOUNDED_START:
        return datetime.min.replace(tzinfo=UTC)
    if text == _UNBOUNDED_END:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromisoformat(text).replace(tzinfo=OFFSET)


def only(text: str, base: datetime = BASE) -> TimeExpression:
    found = find_times(text, base)
    assert len(found) == 1, f"{text!r} gives {[each.text for each in found]}"
    return found[0]


ABSOLUTE = [
    ("on 2023-05-07", "2023-05-07", "2023-05-07", "2023-05-08", "day"),
    ("at 2023-05-07T14:30:00Z", "2023-05-07T14:30:00Z", "2023-05-07 09:30", "2023-05-07 09:31", "minute"),
    ("at 2023-05-07T14:30:00+02:00", "2023-05-07T14:30:00+02:00", "2023-05-07 07:30", "2023-05-07 07:31", "minute"),
    ("2023/05/20 (Sat) 02:21", "2023/05/20 (Sat) 02:21", "2023-05-20 02:21", "2023-05-20 02:22", "minute"),
    ("on 7 May 2023.", "7 May 2023", "2023-05-07", "2023-05-08", "day"),
    ("7 May, 2023", "7 May, 2023", "2023-05-07", "2023-05-08", "day"),
    ("the 7th of May 2023", "the 7th of May 2023", "2023-05-07", "2023-05-08", "day"),
    ("Sunday, 7 May 2023", "Sunday, 7 May 2023", "2023-05-07", "2023-05-08", "day"),
    ("May 7, 2023", "May 7, 2023", "2023-05-07", "2023-05-08", "day"),
    ("December 1,2023", "December 1,2023", "2023-12-01", "2023-12-02", "day"),
    ("we met May 7th", "May 7th", "2023-05-07", "2023-05-08", "day"),
    ("on 7 may", "7 may", "2023-05-07", "2023-05-08", "day"),
    ("on Dec 25", "Dec 25", "2022-12-25", "2022-12-26", "day"),
    ("the 12th of June", "the 12th of June", "2022-06-12", "2022-06-13", "day"),
    ("born on Feb 29", "Feb 29", "2020-02-29", "2020-03-01", "day"),
    ("5-9 May 2023", "5-9 May 2023", "2023-05-05", "2023-05-10", "range"),
    ("from 5 to 9 May", "from 5 to 9 May", "2023-05-05", "2023-05-10", "range"),
    ("May 5–9, 2023", "May 5–9, 2023", "2023-05-05", "2023-05-10", "range"),
    ("5/14/2023", "5/14/2023", "2023-05-14", "2023-05-15", "day"),
    ("31/12/2022", "31/12/2022", "2022-12-31", "2023-01-01", "day"),
    ("14.05.2023", "14.05.2023", "2023-05-14", "2023-05-15", "day"),
    ("on 5/14", "5/14", "2023-05-14", "2023-05-15", "day"),
    ("on the 7th.", "on the 7th", "2023-06-07", "2023-06-08", "day"),
    ("on the 20th.", "on the 20th", "2023-05-20", "2023-05-21", "day"),
    ("the 3rd of last month", "the 3rd of last month", "2023-05-03", "2023-05-04", "day"),
    ("May 2023", "May 2023", "2023-05-01", "2023-06-01", "month"),
    ("April.2023", "April.2023", "2023-04-01", "2023-05-01", "month"),
    ("Sept 2022", "Sept 2022", "2022-09-01", "2022-10-01", "month"),
    ("in 2023-05", "2023-05", "2023-05-01", "2023-06-01", "month"),
    ("in May", "May", "2023-05-01", "2023-06-01", "month"),
    ("In May I started", "May", "2023-05-01", "2023-06-01", "month"),
    ("in may", "may", "2023-05-01", "2023-06-01", "month"),
    ("in July", "July", "2022-07-01", "2022-08-01", "month"),
    ("the October trip", "October", "2022-10-01", "2022-11-01", "month"),
    ("in Jan", "Jan", "2023-01-01", "2023-02-01", "month"),
    ("last May", "last May", "2023-05-01", "2023-06-01", "month"),
    ("last July", "last July", "2022-07-01", "2022-08-01", "month"),
    ("this July", "this July", "2023-07-01", "2023-08-01", "month"),
    ("next May", "next May", "2024-05-01", "2024-06-01", "month"),
    ("June of last year", "June of last year", "2022-06-01", "2022-07-01", "month"),
    ("in 2022", "2022", "2022-01-01", "2023-01-01", "year"),
    ("the year 1984", "the year 1984", "1984-01-01", "1985-01-01", "year"),
    ("from 2019 to 2021", "from 2019 to 2021", "2019-01-01", "2022-01-01", "range"),
    ("in 2019-2021", "2019-2021", "2019-01-01", "2022-01-01", "range"),
    ("the 1990s", "the 1990s", "1990-01-01", "2000-01-01", "decade"),
    ("in the 90s", "the 90s", "1990-01-01", "2000-01-01", "decade"),
    ("the ’80s", "the ’80s", "1980-01-01", "1990-01-01", "decade"),
    ("Q3 2022", "Q3 2022", "2022-07-01", "2022-10-01", "quarter"),
    ("summer of 2021", "summer of 2021", "2021-06-01", "2021-09-01", "season"),
    ("winter 2022", "winter 2022", "2022-12-01", "2023-03-01", "season"),
    ("in the fall", "fall", "2022-09-01", "2022-12-01", "season"),
    ("Christmas 2021", "Christmas 2021", "2021-12-24", "2021-12-27", "day"),
    ("on New Year's Eve", "New Year's Eve", "2022-12-31", "2023-01-01", "day"),
    ("for Thanksgiving", "Thanksgiving", "2022-11-24", "2022-11-25", "day"),
    ("last Easter", "last Easter", "2023-04-09", "2023-04-10", "day"),
]

RELATIVE = [
    ("yesterday", "yesterday", "2023-06-08", "2023-06-09", "day"),
    ("Today I slept", "Today", "2023-06-09", "2023-06-10", "day"),
    ("tomorrow", "tomorrow", "2023-06-10", "2023-06-11", "day"),
    ("tonight", "tonight", "2023-06-09 18:00", "2023-06-10 06:00", "daypart"),
    ("last night", "last night", "2023-06-08 18:00", "2023-06-09 06:00", "daypart"),
    ("this morning", "this morning", "2023-06-09 04:00", "2023-06-09 12:00", "daypart"),
    ("yesterday evening", "yesterday evening", "2023-06-08 17:00", "2023-06-09", "daypart"),
    ("the day before yesterday", "the day before yesterday", "2023-06-07", "2023-06-08", "day"),
    ("the day after tomorrow", "the day after tomorrow", "2023-06-11", "2023-06-12", "day"),
    ("on Monday", "Monday", "2023-06-05", "2023-06-06", "day"),
    ("on friday", "friday", "2023-06-02", "2023-06-03", "day"),
    ("last Tuesday", "last Tuesday", "2023-06-06", "2023-06-07", "day"),
    ("next Tuesday", "next Tuesday", "2023-06-13", "2023-06-14", "day"),
    ("this Tuesday", "this Tuesday", "2023-06-06", "2023-06-07", "day"),
    ("last Fri", "last Fri", "2023-06-02", "2023-06-03", "day"),
    ("Tuesday of last week", "Tuesday of last week", "2023-05-30", "2023-05-31", "day"),
    ("Monday morning", "Monday morning", "2023-06-05 04:00", "2023-06-05 12:00", "daypart"),
    ("last week", "last week", "2023-05-29", "2023-06-05", "week"),
    ("this week's", "this week", "2023-06-05", "2023-06-12", "week"),
    ("next week", "next week", "2023-06-12", "2023-06-19", "week"),
    ("last weekend", "last weekend", "2023-06-03", "2023-06-05", "weekend"),
    ("this weekend", "this weekend", "2023-06-10", "2023-06-12", "weekend"),
    ("this past weekend", "this past weekend", "2023-06-03", "2023-06-05", "weekend"),
    ("over the weekend", "over the weekend", "2023-06-03", "2023-06-05", "weekend"),
    ("last month", "last month", "2023-05-01", "2023-06-01", "month"),
    ("next month", "next month", "2023-07-01", "2023-08-01", "month"),
    ("last year", "last year", "2022-01-01", "2023-01-01", "year"),
    ("this year", "this year", "2023-01-01", "2024-01-01", "year"),
    ("last summer", "last summer", "2022-06-01", "2022-09-01", "season"),
    ("this summer", "this summer", "2023-06-01", "2023-09-01", "season"),
    ("next summer", "next summer", "2024-06-01", "2024-09-01", "season"),
    ("the week before last", "the week before last", "2023-05-22", "2023-05-29", "week"),
    ("two weeks ago", "two weeks ago", "2023-05-22", "2023-05-29", "week"),
    ("3 days ago", "3 days ago", "2023-06-06", "2023-06-07", "day"),
    ("a couple of months ago", "a couple of months ago", "2023-04-01", "2023-05-01", "month"),
    ("a few days ago", "a few days ago", "2023-06-04", "2023-06-08", "range"),
    ("ten years ago", "ten years ago", "2013-01-01", "2014-01-01", "year"),
    ("two weekends ago", "two weekends ago", "2023-05-27", "2023-05-29", "weekend"),
    ("two Fridays ago", "two Fridays ago", "2023-05-26", "2023-05-27", "day"),
    ("3 hours ago", "3 hours ago", "2023-06-09 10:00", "2023-06-09 11:00", "hour"),
    ("half a year ago", "half a year ago", "2022-12-01", "2023-01-01", "month"),
    ("a year and a half ago", "a year and a half ago", "2021-12-01", "2022-01-01", "month"),
    ("1 year and 2 months ago", "1 year and 2 months ago", "2022-04-01", "2022-05-01", "month"),
    ("three weeks and 2 days ago", "three weeks and 2 days ago", "2023-05-17", "2023-05-18", "day"),
    ("in the last two weeks", "in the last two weeks", "2023-05-27", "2023-06-10", "range"),
    ("over the past month", "the past month", "2023-05-10", "2023-06-10", "range"),
    ("the next 3 days", "the next 3 days", "2023-06-10", "2023-06-13", "range"),
    ("two years from now", "two years from now", "2025-01-01", "2026-01-01", "year"),
    ("my recital is in two weeks", "in two weeks", "2023-06-19", "2023-06-26", "week"),
]

MODIFIED = [
    ("early May", "early May", "2023-05-01", "2023-05-11", "range"),
    ("mid-May 2022", "mid-May 2022", "2022-05-11", "2022-05-21", "range"),
    ("in late May", "late May", "2023-05-21", "2023-06-01", "range"),
    ("by the end of last year", "the end of last year", "2022-09-01", "2023-01-01", "range"),
    ("the first week of August 2022", "the first week of August 2022", "2022-08-01", "2022-08-08", "week"),
    ("the last Friday in June 2022", "the last Friday in June 2022", "2022-06-24", "2022-06-25", "day"),
    ("first half of September 2022", "first half of September 2022", "2022-09-01", "2022-09-16", "range"),
    ("third quarter of 2022", "third quarter of 2022", "2022-07-01", "2022-10-01", "quarter"),
    ("the week before 9 June 2023", "the week before 9 June 2023", "2023-06-02", "2023-06-09", "week"),
    ("two weeks before 11 August 2022", "two weeks before 11 August 2022", "2022-07-25", "2022-08-01", "week"),
    ("The sunday before 25 May 2023", "The sunday before 25 May 2023", "2023-05-21", "2023-05-22", "day"),
    ("the weekend before 17 July 2023", "the weekend before 17 July 2023", "2023-07-15", "2023-07-17", "weekend"),
    ("two weekends before 17 July 2023", "two weekends before 17 July 2023", "2023-07-08", "2023-07-10", "weekend"),
    ("the weekend after 5 July 2023", "the weekend after 5 July 2023", "2023-07-08", "2023-07-10", "weekend"),
    ("the weekend of 8 July 2023", "the weekend of 8 July 2023", "2023-07-08", "2023-07-10", "weekend"),
    ("the week of 23 August 2023", "the week of 23 August 2023", "2023-08-21", "2023-08-28", "week"),
    ("the evening of 7 July, 2023", "the evening of 7 July, 2023", "2023-07-07 17:00", "2023-07-08", "daypart"),
    ("the night before 7 May 2023", "the night before 7 May 2023", "2023-05-06 18:00", "2023-05-07 06:00", "daypart"),
    ("3 days before Christmas", "3 days before Christmas", "2022-12-21", "2022-12-22", "day"),
    ("the month before May 2022", "the month before May 2022", "2022-04-01", "2022-05-01", "month"),
    ("around Christmas", "around Christmas", "2022-12-21", "2022-12-30", "range"),
    ("since March", "since March", "2023-03-01", "2023-06-10", "range"),
    ("since early 2022", "since early 2022", "2022-01-01", "2023-06-10", "range"),
    ("after March 2023", "after March 2023", "2023-04-01", "2023-06-10", "range"),
    ("after next month", "after next month", "2023-08-01", _UNBOUNDED_END, "range"),
    ("before 2020", "before 2020", _UNBOUNDED_START, "2020-01-01", "range"),
    ("until May 2022", "until May 2022", _UNBOUNDED_START, "2022-06-01", "range"),
    ("between March and May", "between March and May", "2023-03-01", "2023-06-01", "range"),
    ("between March and May 2022", "between March and May 2022", "2022-03-01", "2022-06-01", "range"),
    ("from December 2021 to March", "from December 2021 to March", "2021-12-01", "2022-04-01", "range"),
    ("between December and February", "between December and February", "2022-12-01", "2023-03-01", "range"),
    ("from Monday to Wednesday", "from Monday to Wednesday", "2023-06-05", "2023-06-08", "range"),
    ("August 11 to August 15, 2022", "August 11 to August 15, 2022", "2022-08-11", "2022-08-16", "range"),
]

CLOCKS = [
    ("1:56 pm on 8 May, 2023", "1:56 pm on 8 May, 2023", "2023-05-08 13:56", "2023-05-08 13:57", "minute"),
    ("yesterday at 3pm", "yesterday at 3pm", "2023-06-08 15:00", "2023-06-08 16:00", "hour"),
    ("7 May 2023 at 3pm PST", "7 May 2023 at 3pm PST", "2023-05-07 18:00", "2023-05-07 19:00", "hour"),
    ("Monday at 10:15 a.m.", "Monday at 10:15 a.m.", "2023-06-05 10:15", "2023-06-05 10:16", "minute"),
    ("tomorrow at noon", "tomorrow at noon", "2023-06-10 12:00", "2023-06-10 13:00", "hour"),
]

NO_TIMES = [
    "May I come in?", "You may be right", "it may 7 times out of 10 fail", "this may help", "March forward!", "we march 3 miles",
    "wait a second", "the second one", "We went home", "the sun came out", "this sun is hot", "she sat down", "they wed",
    "Mar", "the mar on the table", "42", "2022", "I have 2022 apples", "we walked in 2000 steps", "in 1500 words",
    "June said hello", "April came by", "April and June are sisters", "an august assembly", "every Monday", "on Mondays",
    "Black Friday", "for two weeks", "twice a week", "he wrote it in two weeks", "it is the best book in ten years",
    "in my 20s", "it was in the mid-20s", "before the fall", "spring water", "inspired by autumn", "1/2 a cup", "on 1/2/3",
    "version 1.2.2023.4", "call 555-2023-1234", "the price rose 2,023 times", "since we last talked", "the last one",
    "next time", "he drove past week-old snow", "30 years old", "a two-year-old", "In octal", "Sat in the sun, Fri the egg",
    "decades ago", "years ago", "", "   ", "東京に行きました", "マリアは五月", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expression", "start", "end", "granularity"), ABSOLUTE + RELATIVE + MODIFIED + CLOCKS)
def test_reads(text: str, expression: str, start: str, end: str, granularity: str) -> None:
    found = only(text)
    assert found.text == expression
    assert (found.interval_start, found.interval_end) == (local(start), local(end))
    assert found.granularity == granularity


@pytest.mark.parametrize("text", NO_TIMES)
def test_is_no_time(text: str) -> None:
    assert find_times(text, BASE) == []


def test_several_times_come_in_order_with_their_places() -> None:
    text = "Since May 2022 I swim; yesterday I ran, and next week I rest."
    found = find_times(text, BASE)
    assert [each.text for each in found] == ["Since May 2022", "yesterday", "next week"]
    assert all(text[each.start : each.end] == each.text for each in found)


def test_relative_times_are_read_in_the_base_own_offset() -> None:
    instant = datetime(2023, 6, 9, 22, 30, tzinfo=UTC)
    tokyo = instant.astimezone(timezone(timedelta(hours=9)))  # already Saturday, 07:30
    assert only("yesterday", instant).interval_start == datetime(2023, 6, 8, tzinfo=UTC)
    assert only("yesterday", tokyo).interval_start == datetime(2023, 6, 8, 15, tzinfo=UTC)
    assert only("this morning", tokyo).interval_start == datetime(2023, 6, 9, 19, tzinfo=UTC)


def test_a_base_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        find_times("yesterday", datetime(2023, 6, 9))


def test_intervals_are_utc() -> None:
    assert only("yesterday").interval_start.tzinfo is UTC


@pytest.mark.parametrize("weekday", range(7))
def test_a_bare_weekday_is_the_latest_before_today(weekday: int) -> None:
    today = datetime(2023, 6, 5 + weekday, 12, tzinfo=UTC)
    for name in ("Monday", "Wednesday", "Sunday"):
        start = only(f"on {name}", today).interval_start
        assert start.strftime("%A") == name
        assert timedelta(0) < today.replace(hour=0) - start <= timedelta(days=7)


def test_what_names_no_year_has_an_interval_in_each_year() -> None:
    day = timedelta(days=1) // timedelta(microseconds=1)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found = only("what did we do in May?").intervals(range(2021, 2024))
    starts = [epoch + timedelta(microseconds=start) for start, _ in found]
    assert starts == [datetime(year, 5, 1, 5, tzinfo=UTC) for year in (2021, 2022, 2023)]
    assert {end - start for start, end in found} == {31 * day}
    assert len(only("in May 2022").intervals(range(2000, 2024))) == 1
    assert [end - start for start, end in only("on Feb 29").intervals(range(2019, 2025))] == [day, day]
    assert len(only("in May").intervals(())) == 1


def test_bounds_are_told() -> None:
    assert only("since March").is_bounded
    assert not only("before March").is_bounded
    assert not only("after next year").is_bounded


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("hours", [-12, 0, 14])
@pytest.mark.parametrize("edge", [(1, 1, 0), (12, 31, 23)])
def test_the_ends_of_the_calendar_are_safe(year: int, hours: int, edge: tuple[int, int, int]) -> None:
    month, day, hour = edge
    base = datetime(year, month, day, hour, tzinfo=timezone(timedelta(hours=hours)))
    for text, *_ in ABSOLUTE + RELATIVE + MODIFIED + CLOCKS:
        for found in find_times(text, base):
            assert found.interval_start < found.interval_end
            found.intervals(range(1, 4))
    find_times("9999 years ago, in the last 9999 decades, the decade before 0001-01-01, a week after 9999-12-31", base)


def test_overlap() -> None:
    may, week = only("May 2023"), only("the week of 1 May 2023")
    june = only("June 2023")
    interval = (may.interval_start, may.interval_end)
    assert overlap(interval, (week.interval_start, week.interval_end)) == timedelta(days=7)
    assert not overlap(interval, (june.interval_start, june.interval_end))


def test_work_is_bounded() -> None:
    assert len(find_times("yesterday " * 100, BASE)) == MAX_EXPRESSIONS
    assert find_times("x" * MAX_SCANNED_CHARS + " yesterday", BASE) == []
    hostile = [
        "may 7 ", "in the last two weeks ", "last ", "7 ", "a ", "7 May 2023 ", "between from ", "1", " ", "\n", "mon ",
        "a few a couple of ", "the week before ", "12:", "2023-05-", "the very beginning of ", "since ", "1/", "the 1st ",
    ]  # fmt: skip
    for piece in hostile:
        text = piece * (MAX_SCANNED_CHARS // len(piece))
        started = time.process_time()
        find_times(text, BASE)
        assert time.process_time() - started < 1.0, piece


def test_readings_by_dateparser_are_remembered() -> None:
    find_times("yesterday at 3:17pm", BASE)
    started = time.process_time()
    for _ in range(50):
        only("yesterday at 3:17pm", BASE)
    assert time.process_time() - started < 50 * 0.001


_PIECES = st.sampled_from(
    [text for text, *_ in ABSOLUTE + RELATIVE + MODIFIED + CLOCKS]
    + [
        "May",
        "march",
        "Mar",
        "second",
        "We",
        "sun",
        "may",
        "7",
        "31",
        "99",
        "2023",
        "in",
        "on",
        "since",
        "the",
        "of",
        "to",
    ]
    + [
        "between",
        "and",
        "-",
        "/",
        ":",
        ".",
        ",",
        "T",
        "Z",
        "last",
        "next",
        "this",
        "few",
        "week before",
        "ago",
        "end of",
    ]
    + ["\n", "\u00a0", "’", "ſ", "İ", "K", "٣", "東", "\ud83d", "1:56 pm"]
)
_AWARE = st.datetimes(timezones=st.timezones() | st.just(UTC)) | st.datetimes(
    timezones=st.builds(timezone, st.integers(-1439, 1439).map(lambda minutes: timedelta(minutes=minutes)))
)


@given(st.text(max_size=200) | st.lists(_PIECES, max_size=12).map(" ".join), _AWARE)
def test_any_text_gives_sound_expressions(text: str, base: datetime) -> None:
    found = find_times(text, base)
    assert found == find_times(text, base)
    assert len(found) <= MAX_EXPRESSIONS
    end = 0
    for each in found:
        assert end <= each.start < each.end <= len(text)
        assert text[each.start : each.end] == each.text
        assert each.interval_start < each.interval_end
        assert each.interval_start.tzinfo is each.interval_end.tzinfo is UTC
        assert all(start < stop for start, stop in each.intervals(range(2020, 2025)))
        end = each.end


@given(
    st.dates(date(1000, 1, 1), date(2999, 12, 31)),
    st.sampled_from(["{:%Y-%m-%d}", "on {0.day} {0:%B} {0.year:04}", "{0:%B} {0.day}, {0.year:04}"]),
)
def test_every_date_is_read_as_itself(day: date, form: str) -> None:
    found = only(form.format(day))
    assert found.interval_start == datetime(day.year, day.month, day.day, tzinfo=OFFSET)
    assert found.granularity == "day"


@given(st.integers(1, 300), st.sampled_from(["day", "week", "month", "year"]), _AWARE)
def test_so_long_ago_lies_before_now(count: int, unit: str, base: datetime) -> None:
    for found in find_times(f"{count} {unit}s ago", base):
        assert found.interval_end - base < timedelta(days=1)
