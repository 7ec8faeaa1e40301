"""Every limit of the service, with its reason. Sizes are bytes, durations name their unit."""

from typing import Final

# --- what a caller may send -------------------------------------------------------------------------------------
ID_PATTERN: Final = r"[A-Za-z0-9._:~#@-]{1,128}"
"""Ids stand in URLs, logs and file names: no slash, no space, no percent sign."""

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""A full batch of ordinary turns is under 1 MiB; 16 MiB leaves room for documents and bounds a request's memory."""

MAX_IMPORT_BYTES: Final = 4 * 1024 * 1024 * 1024
"""An import is spooled to disk, so memory does not bound it; 4 GiB is about a million episodes with vectors."""

MAX_IMPORT_LINE_BYTES: Final = 32 * 1024 * 1024
"""One line is one episode or record: a document of the largest size with its vectors is about 5 MiB."""

MAX_BATCH_EPISODES: Final = 1000
"""One batch is one savepoint; more would make other writers wait for it."""

MAX_CONTENT_BYTES: Final = 512 * 1024
"""A book of 80,000 words. Longer documents belong in several episodes, so that a hit can be cited closely."""

MAX_METADATA_BYTES: Final = 16 * 1024
"""Metadata is for filtering, not for content."""

MAX_JSON_DEPTH: Final = 32
"""Deep nesting serves no record that we know of and costs recursion in every reader."""

MAX_NAME_CHARS: Final = 256
"""Speaker names and roles: longer ones are content in the wrong field."""

MAX_QUERY_CHARS: Final = 8192
"""The embedder reads 256 tokens; a longer query is a document."""

MAX_TOKEN_BUDGET: Final = 128_000
"""The window of the largest common models."""

MAX_SEARCH_RESULTS: Final = 200
MAX_PAGE_ITEMS: Final = 200
DEFAULT_PAGE_ITEMS: Final = 50
MAX_SEARCH_NAMESPACES: Final = 32
"""A search over several namespaces runs once in each."""

MAX_FILTER_VALUES: Final = 64
MAX_WAIT_MS: Final = 60_000
"""Proxies commonly close an idle request after 60 s."""

MAX_MIN_SEQ_WAIT_MS: Final = 2_000
"""min_seq names a commit that has been answered; it is visible at once, unless a replica lags."""

# --- the log and its outbox --------------------------------------------------------------------------------------
MAX_GROUP_COMMITS: Final = 256
"""Submissions that share one commit: bounds how much one failing sync takes down."""

MAX_QUEUE_EPISODES: Final = 200_000
"""Episodes waiting for the worker before writers get 429: about ten minutes of embedding on two cores."""

IDEMPOTENCY_HOURS: Final = 24
IDEMPOTENCY_KEY_PATTERN: Final = r"[\x21-\x7e]{1,256}"
"""Printable ASCII without spaces: what no proxy folds, trims or encodes anew."""

LEASE_MS: Final = 60_000
"""Longest time one claimed batch may take before another worker may take it over."""

MAX_ATTEMPTS: Final = 5
BACKOFF_BASE_MS: Final = 500
BACKOFF_MAX_MS: Final = 60_000
WORKER_BATCH_EPISODES: Final = 64
"""Two full embedder batches: larger claims gain nothing and hold their leases longer."""

WORKER_BATCH_CHARS: Final = 128 * 1024
"""Text of one batch: about three seconds of embedding on two cores, so that even the largest episode ends within its lease."""

WORKER_POLL_MS: Final = 500
"""How often a worker looks for due retries and for work that another process stored."""

SQLITE_BUSY_MS: Final = 10_000
"""How long a writer waits for another process's write lock before it answers 503."""

# --- indexes in memory --------------------------------------------------------------------------------------------
MAX_INDEX_CACHE_BYTES: Final = 256 * 1024 * 1024
"""Least recently used namespaces leave memory beyond this, so that many small ones take no more than one large. The one in use
stays, however large; about 250,000 turns of one namespace fit."""

SNAPSHOT_MIN_ROWS: Final = 2048
"""Smaller namespaces are read from SQL faster than a snapshot pays for."""

SNAPSHOT_GROWTH: Final = 0.25
"""A snapshot is renewed when this share of its namespace has come since: total rewriting stays linear."""

# --- notes --------------------------------------------------------------------------------------------------------
MAX_KEYWORDS: Final = 6
MAX_TAGS: Final = 8
MAX_LINKS: Final = 5
"""A-MEM links a note to its nearest few; more links make neighbourhoods meaningless."""

NOTE_NEIGHBOURS: Final = 2
"""Turns before this one whose text gives its context."""

# --- the graph ----------------------------------------------------------------------------------------------------
MAX_ENTITY_NAME_CHARS: Final = 256
MAX_FACT_VALUE_CHARS: Final = 1_024
"""A longer object is a text: remember it as an episode."""

MAX_FACT_QUALIFIERS: Final = 16
MAX_BATCH_FACTS: Final = 100
MAX_HOPS: Final = 4
"""Beyond that a neighbourhood is most of the graph."""

MAX_PATH_HOPS: Final = 6
MAX_PATHS: Final = 20
MAX_NEIGHBOURS_PER_HOP: Final = 200
MAX_COMMUNITY_EDGES: Final = 500_000
"""Facts between entities that communities are found in; a larger graph is told to be too large."""

MAX_GRAPH_APPLY_WAIT_MS: Final = 2_000
"""How long an erasure waits for a graph store outside before it answers 202."""
