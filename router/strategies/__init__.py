"""How much of a parent is due when: its strategies."""
