"""A child that cannot load what it needs."""

from rtassist.server.child_side import Handler, serve_child


def set_up() -> Handler:
    raise FileNotFoundError("the model is not where it should be")


def main() -> None:
    serve_child(set_up)
