"""What is kept of conversations: recorded as they happen, replayed exactly, found again."""
