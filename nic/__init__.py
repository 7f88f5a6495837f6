"""Ports: how packets get in and out, the clocks that stamp them and the threads that poll them."""
