"""The live loop: multicast in, orders out over TCP, until somebody says stop."""
