"""Lines: A/B arbitration, the reorder window, gaps, and what asks for the missing messages."""
