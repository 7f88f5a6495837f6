"""Clients of the venues' snapshot services, one file a venue."""
