"""Models of others: which there are, how they are fetched, and whether what lies here is what was fetched."""
