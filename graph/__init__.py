"""The bi-temporal knowledge graph: entities, facts with two times, resolution, traversal, stores.

A library: it knows neither the service nor retrieval. Connections, clocks, embedders and readers of times are handed to it.
"""
