"""What a venue offers those who missed something: messages again, and images of its books."""
