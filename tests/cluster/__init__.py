"""Proof on separate hosts: network namespaces as machines, with cables that can be cut."""
