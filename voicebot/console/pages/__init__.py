"""The web pages, one module each."""
