"""A set of mentions for entity resolution, its metrics, and what is measured on it: `python -m tests.graph_data.resolution`.

The set was written for this purpose by the authors of the rules: 320 mentions in 129 contexts, dense in spellings, near misses
and people of one name, far denser than any real memory. So its numbers compare systems; they do not foretell how a system
does on somebody's data. Rules were tuned on the development half only; the held-out half was first measured after that.
"""
