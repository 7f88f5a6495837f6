"""Recovery services of simulated venues: gap fill and snapshots, as each venue offers them."""
