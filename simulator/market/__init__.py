"""All venues of a market at once: one order flow, their matchings, their feeds."""
