"""The dialog manager: call scripts, and the pure function that walks through them."""
