"""Evidence: what a call leaves behind as it happens, sealed so that a flipped bit anywhere is found."""
