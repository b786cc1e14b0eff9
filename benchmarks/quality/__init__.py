"""Benchmark of the live look at what people say."""
