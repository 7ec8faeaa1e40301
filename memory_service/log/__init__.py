"""The log: episodes, records and the outbox. It is the truth; everything else is derived from it (ground rule 2)."""
