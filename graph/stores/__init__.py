"""Where the graph is kept: one port, and an adapter per database."""
