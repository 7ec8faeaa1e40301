"""Runs graphiti-core in its own environment: reads lines of JSON, adds their episodes, answers each. Started by bench.graphiti.

{"add": [{"name", "content", "at", "entities": [...], "edges": [...]}, ...]}
    -> {"ms": milliseconds of each, without the embedder's, "calls": LLM calls of each}
"""

import asyncio
import json
import os
import random
import sys
import time
import warnings
import zlib
from datetime import datetime
from importlib.metadata import version

# Whatever a library prints must not mix with the answers.
_answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
warnings.simplefilter("ignore", DeprecationWarning)

from graphiti_core import Graphiti  # noqa: E402
from graphiti_core.cross_encoder.client import CrossEncoderClient  # noqa: E402
from graphiti_core.driver.driver import GraphProvider  # noqa: E402
from graphiti_core.driver.kuzu_driver import KuzuDriver  # noqa: E402
from graphiti_core.embedder.client import EmbedderClient  # noqa: E402
from graphiti_core.graph_queries import get_fulltext_indices  # noqa: E402
from graphiti_core.llm_client.client import LLMClient  # noqa: E402
from graphiti_core.llm_client.config import LLMConfig  # noqa: E402
from graphiti_core.nodes import EpisodeType  # noqa: E402

_DIMENSION = 384
_GROUP = "bench"


class InstantModel(LLMClient):
    """Answers at once with what the rules found in the episode: names and facts. Nothing is a duplicate but what is the same."""

    def __init__(self):
        super().__init__(LLMConfig(api_key="unused", model="stub", small_model="stub"))
        self.calls = 0
        self.episode = {}

    async def _generate_response(self, messages, response_model=None, max_tokens=0, model_size=None, **_):
        self.calls += 1
        name = response_model.__name__ if response_model else ""
        if name == "ExtractedEntities":
            found = [{"name": each, "entity_type_id": 0} for each in self.episode["entities"]]
            return {"extracted_entities": found}
        if name == "ExtractedEdges":
            return {"edges": self.episode["edges"]}
        return {
            "NodeResolutions": {"entity_resolutions": []},
            "EdgeDuplicate": {"duplicate_facts": [], "contradicted_facts": []},
            "SummarizedEntities": {"summaries": []},
            "BatchEdgeTimestamps": {"timestamps": []},
            "EdgeTimestamps": {"valid_at": None, "invalid_at": None},
            "EntitySummary": {"summary": ""},
        }.get(name, {})


class HashEmbedder(EmbedderClient):
    """A vector from a text's checksum; its time is taken out of the episode's."""

    def __init__(self):
        self.spent_s = 0.0

    async def create(self, input_data):
        return self._vector(input_data if isinstance(input_data, str) else str(next(iter(input_data))))

    async def create_batch(self, input_data_list):
        return [self._vector(each) for each in input_data_list]

    def _vector(self, text):
        started = time.perf_counter()
        drawn = random.Random(zlib.crc32(text.encode()))
        vector = [drawn.gauss(0, 1) for _ in range(_DIMENSION)]
        self.spent_s += time.perf_counter() - started
        return vector


class NoRanking(CrossEncoderClient):
    """Never asked while episodes are added."""

    async def rank(self, query, passages):
        return [(each, 0.0) for each in passages]


async def with_fulltext(driver):
    """The full-text indexes that its search asks for, by its own statements: its Kuzu driver makes none."""
    for statement in get_fulltext_indices(GraphProvider.KUZU):
        try:
            await driver.execute_query(statement)
        except RuntimeError as error:
            if "already exists" not in str(error):
                raise


async def main():
    model, embedder = InstantModel(), HashEmbedder()
    driver = KuzuDriver(db=sys.argv[1])
    if not hasattr(driver, "_database"):
        driver._database = (
            _GROUP  # 0.31 reads it and its Kuzu driver lacks it: with the group's name, the driver stays as it is
        )
    graphiti = Graphiti(graph_driver=driver, llm_client=model, embedder=embedder, cross_encoder=NoRanking())
    await graphiti.build_indices_and_constraints()
    await with_fulltext(driver)
    print(json.dumps({name: version(name) for name in ("graphiti-core", "kuzu")}), file=_answers, flush=True)
    for line in sys.stdin:
        taken, calls = [], []
        for episode in json.loads(line)["add"]:
            model.episode, before = episode, (model.calls, embedder.spent_s)
            started = time.perf_counter()
            await graphiti.add_episode(
                name=episode["name"],
                episode_body=episode["content"],
                source_description="conversation",
                reference_time=datetime.fromisoformat(episode["at"]),
                source=EpisodeType.message,
                group_id=_GROUP,
            )
            spent_s = time.perf_counter() - started - (embedder.spent_s - before[1])
            taken.append(spent_s * 1000)
            calls.append(model.calls - before[0])
        print(json.dumps({"ms": taken, "calls": calls}), file=_answers, flush=True)


asyncio.run(main())
