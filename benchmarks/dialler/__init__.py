"""Benchmarks of campaigns: the list and the import of cases, and leasing, beside what PostgreSQL alone gives."""
