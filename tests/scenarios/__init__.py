"""Whole calls without sockets: everything of line and brain is real, the other ends of the lines are the test."""
