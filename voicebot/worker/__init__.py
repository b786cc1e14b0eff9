"""The two processes of a worker, line and brain, and the tick protocol that joins them."""
