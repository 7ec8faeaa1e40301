"""Questions to a graph, asked through the port: they work on every store alike."""
