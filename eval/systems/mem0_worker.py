"""Runs in mem0's interpreter: JSON lines in, JSON lines out. It imports nothing of ours."""

import json
import os
import sys
from typing import Any


def main() -> None:
    model, folder = sys.argv[1:3]
    # What mem0 and its libraries print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    memory = _memory(model, folder)
    for line in sys.stdin:
        try:
            told = _answer(memory, json.loads(line))
        except Exception as error:  # noqa: BLE001 - told to the parent, which stops
            told = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(told) + "\n")


def _memory(model: str, folder: str) -> Any:
    """mem0 with its Qdrant in a folder. With infer=False no language model is called, but one has to be configured."""
    import mem0

    memory: Any = mem0.Memory  # type: ignore[attr-defined]
    store = {"collection_name": "eval", "path": f"{folder}/qdrant", "embedding_model_dims": 384, "on_disk": True}
    return memory.from_config(
        {
            "embedder": {"provider": "huggingface", "config": {"model": model, "embedding_dims": 384}},
            "vector_store": {"provider": "qdrant", "config": store},
            "llm": {"provider": "openai", "config": {"api_key": "unused"}},
            "history_db_path": f"{folder}/history.db",
        }
    )


def _answer(memory: Any, told: dict[str, Any]) -> dict[str, Any]:
    if told["do"] == "add":
        message = {"role": told["role"], "content": told["text"]}
        memory.add([message], user_id=told["user"], metadata={"turn": told["id"]}, infer=False)
        return {}
    if told["do"] == "search":
        found = _search(memory, told)
        return {"ids": [item["metadata"]["turn"] for item in found], "scores": [item["score"] for item in found]}
    return {}


def _search(memory: Any, told: dict[str, Any]) -> list[dict[str, Any]]:
    """Its argument names changed between versions."""
    try:
        answer = memory.search(told["query"], filters={"user_id": told["user"]}, top_k=told["limit"], threshold=0.0)
    except TypeError:
        answer = memory.search(told["query"], user_id=told["user"], limit=told["limit"])
    return answer["results"]


if __name__ == "__main__":
    main()
