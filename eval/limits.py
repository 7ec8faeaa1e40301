"""Every limit of the evaluation, with its reason. Durations name their unit."""

from typing import Final

CUTOFFS: Final = (1, 3, 5, 10, 30, 50)
"""LongMemEval's own (run_retrieval.py)."""

KEPT_IDS: Final = 50
"""Ranked ids kept of each question: the largest cutoff. Metrics are computed before the rest is dropped."""

SEARCH_LIMIT: Final = 200
"""Results asked for: the most the service gives. Assistant turns are dropped from them before the cut at 50."""

CONTEXT_TURNS: Final = 10
"""Turns of a context whose tokens are told, for systems that pack none of their own."""

APPEND_BATCH: Final = 100
"""Episodes of one request: a small body, and a commit a second at most is shared by them."""

GROUP_EPISODES: Final = 20_000
"""Episodes that are ingested before their questions are asked: bounds memory, and what an interruption loses."""

QUIET_EPISODES: Final = 6_000
"""Up to here a group's enrichment is awaited before searches are timed; beyond, searches run beside it."""

INDEX_PATIENCE_S: Final = 1_800.0
"""Longest wait for one group to become searchable: 20,000 episodes that are embedded anew take about ten minutes."""

START_LIMIT_S: Final = 300.0
"""The first start exports the model, which takes torch half a minute on a slow machine."""

STOP_LIMIT_S: Final = 60.0

RESAMPLES: Final = 10_000
"""Of a bootstrap: intervals then differ by less than .002 from seed to seed."""

BOOTSTRAP_SEED: Final = 20_240_501

CONFIDENCE: Final = 0.95
