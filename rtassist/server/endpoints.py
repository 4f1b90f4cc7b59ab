"""Hearing, thinking and speaking by OpenAI-compatible HTTP endpoints, and what they have in common."""
