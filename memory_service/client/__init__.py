"""The SDK: a blocking and an asyncio client of one source. It imports nothing of the server's."""

from memory_service.client.arguments import EntityFilters, EpisodeFields, FactFilters, SearchFilters
from memory_service.client.clients import AsyncMemoryClient, MemoryClient

__all__ = ["AsyncMemoryClient", "EntityFilters", "EpisodeFields", "FactFilters", "MemoryClient", "SearchFilters"]
