"""Logs, metrics and traces. None of them holds content or secrets."""
