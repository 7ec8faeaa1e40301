"""The parts of `retrieval.timex`: calendar arithmetic, the rules of expressions, their modifiers, clocks by dateparser."""
