"""Recall: each namespace's index in memory, kept level with the log, and searches over it."""
