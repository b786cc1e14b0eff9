"""How long a debtor waits for a person: trigger to ringing, acceptance to both hearing each other."""
