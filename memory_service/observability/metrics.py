"""Prometheus metrics of this process (documented in docs/operations.md, which a test holds complete)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

registry = CollectorRegistry()
ProcessCollector(registry=registry)

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

requests = Counter("memory_requests_total", "HTTP requests.", ["method", "route", "status"], registry=registry)
request_seconds = Histogram(
    "memory_request_seconds", "Time to answer.", ["method", "route"], buckets=_FAST, registry=registry
)
episodes_acknowledged = Counter("memory_episodes_acknowledged_total", "Episodes acknowledged.", registry=registry)
search_seconds = Histogram(
    "memory_search_seconds", "Time of a search by phase.", ["phase"], buckets=_FAST, registry=registry
)
queue_episodes = Gauge("memory_queue_episodes", "Episodes that wait for enrichment.", registry=registry)
queue_lag_seconds = Gauge("memory_queue_lag_seconds", "Age of the oldest that waits.", registry=registry)
dead_letters = Gauge("memory_dead_letters", "Dead letters now.", registry=registry)
dead_letters_total = Counter(
    "memory_dead_lettered_total", "Jobs that became dead letters.", ["stage"], registry=registry
)
stage_seconds = Histogram(
    "memory_stage_seconds", "Time of one batch of a stage.", ["stage"], buckets=_FAST, registry=registry
)
stage_episodes = Counter("memory_stage_episodes_total", "Episodes done.", ["stage"], registry=registry)
stage_failures = Counter("memory_stage_failures_total", "Attempts that failed.", ["stage"], registry=registry)
worker_outages = Counter("memory_worker_outages_total", "Times the worker could not use the store.", registry=registry)
graph_store_outages = Counter(
    "memory_graph_store_outages_total", "Times the graph store outside could not be told.", registry=registry
)
graph_store_lag = Gauge("memory_graph_store_lag", "Changed rows that it has not been told.", registry=registry)
index_bytes = Gauge("memory_index_bytes", "Memory held by namespaces' indexes.", registry=registry)
index_namespaces = Gauge("memory_index_namespaces", "Namespaces whose index is in memory.", registry=registry)
commits = Gauge("memory_commits", "Commits of this process's writer since its start.", registry=registry)
submissions = Gauge("memory_commit_submissions", "Units of work in those commits.", registry=registry)
store_up = Gauge("memory_store_up", "1 while the store can be read.", registry=registry)
