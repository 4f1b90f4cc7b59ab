"""`python -m rtassist` is the command `rtassist`."""

from rtassist.cli import program

program()
