"""What each protocol's venues say, and how their day begins and ends."""
