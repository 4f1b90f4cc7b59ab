"""What goes over the wire: every Realtime event as a frozen attrs class, and text ↔ event."""
