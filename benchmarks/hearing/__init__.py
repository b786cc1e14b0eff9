"""What hearing costs: echo, voice activity, recognition and end of turn of many calls in one batch."""
