"""Limits of the graph, with their reasons."""

from typing import Final

MAX_MENTIONS_PER_EPISODE: Final = 64
"""An episode that names more is a list; what is named first is kept, and the rest is told as left out."""

MAX_CLAIMS_PER_EPISODE: Final = 128
MAX_NAME_CHARS: Final = 256
MAX_LITERAL_CHARS: Final = 1_024
MAX_QUALIFIERS: Final = 16
MAX_ALIASES: Final = 10_000
"""Spellings kept of one entity: a feed of generated names must not grow one row for ever."""

MAX_HOPS: Final = 4
MAX_NEIGHBOURS_PER_HOP: Final = 200
MAX_NEIGHBOURS: Final = 2_000
MAX_PATH_HOPS: Final = 6
MAX_PATH_EXPANSIONS: Final = 20_000
"""Edges looked at for one path: a hub must not make one question cost a second."""

MAX_CANDIDATES: Final = 32
"""Names that a new one is compared with: the cost of an episode does not grow with the graph."""

MAX_LISTED_ALIASES: Final = 100
"""Spellings that an entity shows; it is found by all of them."""

MAX_SHARED_BLOCKING: Final = 32
"""Nodes looked at for one blocking key: half a name that thousands share says little."""

MAX_MET: Final = 48
"""Names that a new one is ranked against, by the rarest of what they share with it: more would only be less like it."""

MAX_COMPONENT: Final = 5_000
"""Nodes resolved together."""

MAX_EXTRACTED_CHARS: Final = 20_000
"""Of one episode, read by the extraction rules: what people tell of themselves is short, and what is longer was pasted."""

MAX_EXTRACTED_SENTENCES: Final = 200
MAX_SENTENCE_CHARS: Final = 1_000
"""A longer sentence is a list or no prose; it is left out, which also bounds what any one pattern can cost."""

MAX_CLAUSES_PER_SENTENCE: Final = 16
"""Clauses read of one sentence: ten times what people write."""

MAX_EDGES_PER_HOP: Final = 300
"""Facts read for one hop of a neighbourhood, shared among the entities that it starts from."""

MAX_EDGES_PER_STEP: Final = 2_000
"""Facts read of one entity on the way of a path: what hangs together only by a hub of thousands hangs together loosely."""

MAX_TIMELINE_FACTS: Final = 20_000
"""Facts read to show a life from its beginning; from its end, any number can be paged through."""

MAX_EPISODES_PER_LINE: Final = 3
"""Episodes that a line for people cites."""

MAX_SUMMARY_CHARS: Final = 600
"""Of an entity or a community: what one reads at a glance, and what a prompt can hold many of."""

MAX_SUMMARY_OBJECTS: Final = 5
"""Objects told of one predicate; of more, how many."""

MAX_SUMMARY_FACTS: Final = 8
"""Facts that a community's summary is made from."""

MAX_COMMUNITIES: Final = 1_000
"""The largest ones of a graph; most of the others are pairs."""

MAX_LISTED_MEMBERS: Final = 200
"""Members that a community shows, the most central ones; its id is made from all."""

MAX_PARTITIONED_NAMESPACES: Final = 64
"""Namespaces whose communities are remembered: those asked for last."""

MAX_RANKED_EDGES: Final = 5_000
"""Facts read for one ranking by random walks: further away there is next to nothing of the walk left."""

MAX_EDGES_PER_RANKED: Final = 100
"""Facts read of one entity that walks pass: a step from a hub of thousands says next to nothing."""

MAX_LEIDEN_EDGES: Final = 10_000
"""Pairs of entities in a component that leidenalg divides: it holds the interpreter for a fifth of a second then."""
