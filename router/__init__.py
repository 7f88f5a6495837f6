"""From books to orders: routing, risk, order state, order messages, and the loop that ties them."""
