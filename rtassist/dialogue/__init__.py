"""What a conversation means: pure rules from what happened to what should happen."""
