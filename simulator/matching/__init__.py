"""The matching of one venue: orders and other commands in, public and private events out."""
