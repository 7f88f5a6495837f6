"""What ties strategies, routing, risk, order state and sessions into one loop."""
