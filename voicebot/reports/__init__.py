"""Reports: figures with their numerators and denominators, summed as calls end, shown, exported and sent."""
