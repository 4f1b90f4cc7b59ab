"""What is seen and typed in the terminal."""
