"""`rtassist doctor`: what is wrong with this machine as a place to talk, and what to do about it."""
