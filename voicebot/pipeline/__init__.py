"""The live chain of one call, and the hearing of all calls; the only place that knows pipecat."""
