"""The depot: where sealed calls lie when they do not lie on the disk of the worker that recorded them."""
