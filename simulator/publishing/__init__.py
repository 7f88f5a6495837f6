"""A venue's public events as its real feed: messages, packets, lines, captures, faults."""
