"""A child that never gets ready."""

import threading

from rtassist.server.child_side import Handler, serve_child


def set_up() -> Handler:
    threading.Event().wait()
    raise AssertionError("nobody sets it")


def main() -> None:
    serve_child(set_up)
