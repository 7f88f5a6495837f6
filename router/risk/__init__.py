"""The gate before the venues: what an order must pass, and the limits it is held to."""
