"""Half an hour of bad network, short calls and dying peers: what is left behind."""
