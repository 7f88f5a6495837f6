"""What the machine is set to, and what that means for a loop that polls."""
