"""A child that says things on stdout before it speaks our protocol."""

from rtassist.server.child_side import serve_child
from tests.server.children.parrot import set_up


def main() -> None:
    print("Welcome to libspeech 1.0! Licensed to you.", flush=True)
    serve_child(set_up)
