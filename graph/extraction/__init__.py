"""From episodes to mentions and claims, without a model: what rules read in text, and what a mapping reads in records."""

from graph.extraction.extractor import RuleExtractor
from graph.extraction.port import Extractor, TimeFinder, TimeSpan

__all__ = ["Extractor", "RuleExtractor", "TimeFinder", "TimeSpan"]
