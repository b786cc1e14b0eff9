"""Understanding measured beside the recogniser and beside other models."""
