"""Sockets of a simulated venue: one thread that serves all its connections."""
