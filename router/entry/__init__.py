"""Order messages: pre-encoded forms, sessions, what venues answer."""
