"""A child that does what a request asks for by name, well or badly."""

import ctypes
import os
import signal
import sys
import threading

from rtassist.server.child_side import Handler, Job, serve_child


def handle(job: Job) -> None:
    match job.payload.split():
        case [b"echo"]:
            for data in job.data():
                job.answer(data)
        case [b"upper"]:
            job.answer(b"".join(job.data()).upper())
        case [b"count", number]:
            for index in range(int(number)):
                job.answer(b"%d " % index)
        case [b"flood"]:
            while not job.abandoned:
                job.answer(bytes(1 << 16))
        case [b"until-abandoned"]:
            job.answer(b"begun")
            for _ in job.data():
                pass
        case [b"hang"]:
            job.answer(b"hanging")
            threading.Event().wait()
        case [b"spin"]:
            job.answer(b"spinning")
            while True:
                pass
        case [b"raise"]:
            raise ValueError("the voice\x1b[31m is\nmissing")
        case [b"die"]:
            job.answer(b"last")
            print("an important\nassertion failed", file=sys.stderr, flush=True)
            os._exit(7)
        case [b"killed"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case [b"print"]:
            print("from Python", flush=True)
            os.write(1, b"from a file descriptor\n")
            ctypes.CDLL(None).puts(b"from C")
            ctypes.CDLL(None).fflush(None)
            job.answer(b"printed")
        case [b"environment"]:
            job.answer("\n".join(f"{name}={value}" for name, value in os.environ.items()).encode())
        case [b"modules"]:
            job.answer(" ".join(sys.modules).encode())
        case [b"path"]:
            job.answer("\n".join(sys.path).encode())
        case [b"interrupt"]:
            signal.raise_signal(signal.SIGINT)
            job.answer(str(signal.getsignal(signal.SIGINT)).encode())


def set_up() -> Handler:
    return handle


def main() -> None:
    serve_child(set_up, at_once=4)
