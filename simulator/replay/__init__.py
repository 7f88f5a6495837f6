"""Venues at the far end of the router's sessions while captures are replayed."""
