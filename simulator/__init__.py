"""Venues when there are no venues: matching, order flow, feeds out, orders in."""
