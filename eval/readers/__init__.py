"""Readers of the official file formats. Each raises BadData with one clear sentence for a file it cannot use."""
