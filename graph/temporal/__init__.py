"""Pure temporal rules: what was true when, computed from a sorted set of assertions."""
