"""Recognition: telephone speech becomes text."""
