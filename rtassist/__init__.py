"""A voice assistant for the terminal and a flight recorder for realtime voice."""

from rtassist.tools.marks import tool

__all__ = ["__version__", "tool"]
__version__ = "0.1.0"
