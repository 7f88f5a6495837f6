"""From frames to books: parsing, channels, protocols, arbitration."""
