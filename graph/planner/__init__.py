"""From extractions to versions: what arrives is placed among names, resolved to entities, and set into timelines."""

from graph.planner.planner import Planner

__all__ = ["Planner"]
