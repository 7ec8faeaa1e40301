"""Tiny files of our own in the official formats."""

import json
from pathlib import Path
from typing import Any


def locomo_item(**changes: Any) -> dict[str, Any]:
    """One conversation of two sessions with five questions."""
    conversation = {
        "speaker_a": "Ann",
        "speaker_b": "Ben",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I adopted a dog called Biscuit."},
            {"speaker": "Ben", "dia_id": "D1:2", "text": "Lovely!", "blip_caption": "a brown puppy on a rug"},
        ],
        "session_10_date_time": "12:09 am on 13 September, 2023",
        "session_10": [{"speaker": "Ann", "dia_id": "D10:1", "text": "Biscuit learned to swim."}],
        "session_2_date_time": "9:00 am on 1 June, 2023",
        "session_2": [{"speaker": "Ben", "dia_id": "D2:1", "text": "I moved to Lisbon."}],
    }
    questions = [
        {"question": "What did Ann adopt?", "answer": "a dog", "evidence": ["D1:1"], "category": 4},
        {"question": "When did Ben move?", "answer": 2023, "evidence": ["D2:1; D1:2"], "category": 2},
        {"question": "What can Biscuit do?", "answer": "swim", "evidence": ["D:10:1", "D01:1"], "category": 1},
        {"question": "Would Ann like cats?", "answer": "maybe; unclear", "evidence": ["D", "D9:9"], "category": 3},
        {"question": "What did Ben adopt?", "adversarial_answer": "a dog", "evidence": ["D1:1"], "category": 5},
    ]
    return {"sample_id": "conv-1", "conversation": conversation, "qa": questions} | changes


def longmemeval_item(**changes: Any) -> dict[str, Any]:
    """One question among two sessions; the second is the evidence."""
    item = {
        "question_id": "q1",
        "question_type": "single-session-user",
        "question": "What degree did I take?",
        "answer": "Business",
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_session_ids": ["answer_1", "other_1"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21", "2023/05/02 (Tue) 08:00"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "I took a degree in business.", "has_answer": True},
                {"role": "assistant", "content": "Congratulations!", "has_answer": False},
                {"role": "user", "content": "Thanks. What now?", "has_answer": False},
            ],
            [
                {"role": "user", "content": "How do I boil rice?"},
                {"role": "assistant", "content": "In water."},
            ],
        ],
        "answer_session_ids": ["answer_1"],
    }
    return item | changes


def write(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path
