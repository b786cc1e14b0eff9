"""From what one machine measured to a million calls an hour: a model of the whole, run in simulated time."""
