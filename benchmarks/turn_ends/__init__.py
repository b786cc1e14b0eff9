"""When a turn is taken for over: how soon after its end, and how often in a pause inside it."""
