"""The situations of the catalogue, each played."""
