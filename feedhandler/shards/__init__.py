"""Loops on several cores: which channels and which symbols each of them has."""
