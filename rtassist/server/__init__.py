"""A Realtime server of our own, for offline use, for tests and for other clients."""
