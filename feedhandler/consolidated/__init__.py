"""One book of many venues: best bid and offer, protected quotes, odd lots, and their stream."""
