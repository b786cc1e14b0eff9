"""Benchmark of calls played again."""
