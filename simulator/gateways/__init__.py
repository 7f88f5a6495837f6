"""Order-entry gateways of simulated venues: sessions, orders in, what became of them out."""
