"""Measurements that can be repeated: each prints a table and writes its figures as JSON."""
