"""How many calls one machine carries, what each of them costs and where the time goes."""
