"""Every limit of the retrieval library, with its reason. Sizes are bytes, durations name their unit."""

from typing import Final

# --- embedders ----------------------------------------------------------------------------------------------------
MAX_EMBED_THREADS: Final = 4
"""Threads of one embedding when none are asked for: a MiniLM-sized model gains little from more."""

MAX_BATCH_TOKENS: Final = 1024
"""Tokens of one model run, padding included: 4 texts of 256. On two cores 512, 1024, 2048 and 4096 embed 496, 516, 488
and 434 turns/s, and take 214, 229, 276 and 350 MB at most: larger batches cost memory and gain nothing."""

EMBED_CHUNK_TEXTS: Final = 1024
"""Texts tokenised and sorted together: enough for batches of like length, and bounds the token lists held."""

MAX_SPECIAL_TOKENS: Final = 2
"""What tokenizers add to one text: BERT's [CLS] and [SEP], RoBERTa's <s> and </s>. One that adds more is refused."""

MAX_WINDOW_TOKENS: Final = 512
"""Tokens of one text that an exported model reads, whatever more it could: attention's memory grows with their square,
and a passage of this length is as much as a hit can be cited for."""

MAX_PARITY_DIFFERENCE: Final = 1e-4
"""Largest difference of any component from sentence-transformers' own vectors. fp32 graphs differ by 1e-6;
wrong pooling or a lost prompt differs by more than 1e-2."""

EXPORT_TIMEOUT_S: Final = 1800
"""An export takes 10 s; a model from the hub is downloaded first, on whatever line there is."""

MAX_CACHED_VECTOR_BYTES: Final = 16 * 1024 * 1024
"""About 10,000 vectors of MiniLM: repeated queries, not a corpus."""

MAX_COMBINED_TEXTS: Final = 32
"""Texts of concurrent queries that run as one batch: twice a busy server's callers, about one run's tokens."""

# --- remote embedding endpoints -----------------------------------------------------------------------------------
MAX_REMOTE_BATCH_TEXTS: Final = 128
"""Texts of one request: the least that common servers take (OpenAI takes 2048, others refuse above 128)."""

REMOTE_TIMEOUT_S: Final = 30.0
"""A batch of documents on a slow endpoint; a query that takes longer has no one waiting for it."""

REMOTE_ATTEMPTS: Final = 4
REMOTE_BACKOFF_MS: Final = 250
REMOTE_BACKOFF_MAX_MS: Final = 8_000
"""Also bounds what a server's Retry-After can ask for: the caller's outbox waits longer, and better."""

MAX_ERROR_CHARS: Final = 300
"""What is quoted from a server's or a child's error: enough to tell the cause, too little to flood a log."""

# --- vectors ------------------------------------------------------------------------------------------------------
MIN_COARSE_ROWS: Final = 65_536
"""Half of it takes as long in two steps as in one; from here on the two save half a millisecond and more."""

COARSE_BLOCK_ROWS: Final = 512
"""Rows rounded at once: few enough for a core's own cache."""

COARSE_SHARE: Final = 3
"""Rows of the coarse scan to one that is wanted. The benchmark's 256 best of 150,000 passages were then certain for 289 of 300
queries; with 2 for 163, with 4 for 299, which the larger heap costs more than."""

# --- rerankers ----------------------------------------------------------------------------------------------------
MAX_PAIR_TOKENS: Final = 512
"""Of a query and a text that are read together: the window of the usual cross-encoders, and more than a cited text has."""

RERANK_BATCH_TEXTS: Final = 16
"""Pairs of one model run, of like length: bounds its memory."""

RERANKER_RETRY_S: Final = 30.0
"""After a model could not be loaded: searches fail at once meanwhile, and do not queue for another try."""

# --- time expressions ---------------------------------------------------------------------------------------------
MAX_EXPRESSIONS: Final = 8
"""Of one text. A turn names one or two times; a timetable names no time that it is about."""

MAX_SCANNED_CHARS: Final = 20_000
"""Of one text: a long document's times are those of its opening, and the scan's cost stays bounded."""

MAX_PREFIX_CHARS: Final = 48
"""How far before a date its modifier can begin: "at the very beginning of the week before" has 38 characters."""

TIME_CACHE_ENTRIES: Final = 4096
"""Readings by dateparser that are remembered: .3 ms each, and a conversation repeats them with the same base day."""

MAX_RULE_MATCHES: Final = 64
"""Of one rule in one text: several times what can come of it, since words such as "may" seldom are times."""

MAX_MODIFIERS: Final = 3
"""Before one date: "since the end of the week before ..." has three."""
