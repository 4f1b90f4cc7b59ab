"""The socket: how to reach a Realtime server, and the two directions of a conversation with it."""
