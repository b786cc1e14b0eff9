"""Throws spoiled and hostile traffic at a listening user agent with calls up, and counts what it does to them."""
