"""Seeded order flow for many instruments and venues: commands for their matching."""
