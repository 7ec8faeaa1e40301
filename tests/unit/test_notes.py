"""Notes without an LLM: what they say, and that they say it again."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from memory_service.pipeline.notes import DeterministicNoteMaker, Related, Turn, extract_keywords

MAKER = DeterministicNoteMaker()


def turn(text: str, speaker: str | None = "Ana", *, seq: int = 5, has_time: bool = False) -> Turn:
    return Turn(f"e{seq}", seq, "s", speaker, None, text, datetime(2025, 5, 8, 13, tzinfo=UTC), has_time)


def test_keywords_are_what_the_text_is_about() -> None:
    assert "pottery class" in extract_keywords("I signed up for a pottery class, and the pottery class is wonderful.")


def test_text_without_words_has_no_keywords() -> None:
    assert extract_keywords("42 -- !!") == []


def test_text_in_a_script_without_spaces_has_keywords() -> None:
    assert "東京" in extract_keywords("東京に住んでいます。東京が好きです。")


def test_the_context_says_who_when_about_what_and_what_it_follows() -> None:
    asked = turn("What do you paint?", "Ben", seq=4)
    note = MAKER.make(turn("I paint sunrises over the lake."), [asked], [])
    assert note.context.startswith("Ana on 8 May 2025, about ")
    assert note.context.endswith("answering Ben: “What do you paint?”.")


def test_tags_tell_questions_plans_preferences_changes_times_and_names() -> None:
    assert "question" in MAKER.make(turn("Where is it?"), [], []).tags
    assert "plan" in MAKER.make(turn("I am going to visit Lisbon"), [], []).tags
    assert "name:Lisbon" in MAKER.make(turn("I am going to visit Lisbon"), [], []).tags
    assert "preference" in MAKER.make(turn("I really love jazz"), [], []).tags
    assert "change" in MAKER.make(turn("I quit my job"), [], []).tags
    assert "time" in MAKER.make(turn("It was yesterday", has_time=True), [], []).tags


def test_small_talk_matters_less_than_a_change_with_a_name_and_a_time() -> None:
    chat = MAKER.make(turn("Wow, thanks! How are you?"), [], [])
    change = MAKER.make(turn("I moved to Lisbon in May 2023 and started at Nova", has_time=True), [], [])
    assert chat.importance < 0.3 < change.importance <= 1.0


def test_links_are_typed_and_the_strongest_few() -> None:
    near = [Related(f"r{i}", i, 0.5 + i / 100, frozenset()) for i in range(9)]
    far = Related("far", 1, 0.2, frozenset())
    named = Related("named", 2, None, frozenset({"lisbon"}))
    links = MAKER.make(turn("We saw Lisbon"), [], [*near, far, named]).links
    assert [link.episode_id for link in links if link.kind == "similar"] == ["r8", "r7", "r6", "r5", "r4"]
    assert [(link.episode_id, link.weight) for link in links if link.kind == "shared_name"] == [("named", 1.0)]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.text(max_size=100))
def test_any_text_makes_a_note_and_the_same_note_again(text: str, before: str) -> None:
    neighbours = [turn(before, "Ben", seq=4)]
    note = MAKER.make(turn(text), neighbours, [])
    assert note == MAKER.make(turn(text), neighbours, [])
    assert 0.0 <= note.importance <= 1.0
    assert len(note.keywords) <= 6
    assert len(note.tags) <= 8
