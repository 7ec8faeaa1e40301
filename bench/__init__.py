"""Measurements of the service beside yardsticks of the same run. `python -m bench` runs them; docs/benchmarks.md explains them."""
