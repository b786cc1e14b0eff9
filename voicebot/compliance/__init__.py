"""What law and house rules allow: may we dial, may this be said. Pure: time and facts come in as arguments."""
