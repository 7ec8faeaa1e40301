"""Measurements of the service beside yardsticks of the same run. docs/benchmarks.md explains them."""
