"""Benchmarks of the rulebook."""
