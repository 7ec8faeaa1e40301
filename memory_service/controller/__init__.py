"""The controller: what of the memory goes into a prompt."""
