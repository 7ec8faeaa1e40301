"""What the service answers from the graph, and the graph store outside that it may keep up to date."""
