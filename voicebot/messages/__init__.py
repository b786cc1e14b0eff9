"""Messages: what follows a call in writing. Planned with the outcome, judged and checked like speech, then sent."""
