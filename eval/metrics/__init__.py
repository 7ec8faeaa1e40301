"""Metrics: pure functions, each pinned by hand-worked cases in tests/eval."""
