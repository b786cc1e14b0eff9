"""Evidence: what sealing, verifying and hashing cost."""
