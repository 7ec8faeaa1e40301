"""Systems under test, behind one small interface (base.System)."""
