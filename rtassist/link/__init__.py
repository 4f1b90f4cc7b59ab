"""The socket to a Realtime server."""
