"""Who answered: how well and how fast it is told, on synthesised calls."""
