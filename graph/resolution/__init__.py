"""Which names are one entity: pure functions over names and evidence; nothing here reads or writes a store."""
