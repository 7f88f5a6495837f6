"""Captures through the whole loop: books, routing, risk, orders, venues that answer."""
