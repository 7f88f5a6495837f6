"""The report of a run with routing: what was sent, what came of it, and what it cost."""
