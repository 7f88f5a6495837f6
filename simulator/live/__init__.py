"""Venues as a process: feeds by multicast, order entry over TCP, in real time."""
