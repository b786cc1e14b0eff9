"""Strategy: whom to call - segments, scorecard, cadence, and what a day would come to - all of it data."""
