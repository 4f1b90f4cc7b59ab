"""A voice assistant for the terminal and a flight recorder for realtime voice."""

__version__ = "0.1.0"
