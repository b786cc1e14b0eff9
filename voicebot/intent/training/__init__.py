"""Training and evaluation of the intent model: needs the extra `train`; the server never imports this package."""
