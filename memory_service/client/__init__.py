"""The SDK: a blocking and an asyncio client of one source. It imports nothing of the server's."""

from memory_service.client.arguments import EpisodeFields, SearchFilters
from memory_service.client.clients import AsyncMemoryClient, MemoryClient

__all__ = ["AsyncMemoryClient", "EpisodeFields", "MemoryClient", "SearchFilters"]
