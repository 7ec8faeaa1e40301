"""Results told to people: Markdown tables, a plot, runs side by side, docs/results.md."""
