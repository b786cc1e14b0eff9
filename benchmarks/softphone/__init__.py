"""What the softphone gateway costs: CPU per call-minute, and the delay it adds between a line and a browser."""
