"""The seam to the phone network: legs, lines and what a carrier's answer means."""
