"""The child process that holds espeak-ng's library: text in, PCM16 at 22.05 kHz out, as it is made.

espeak-ng is under the GPL and has one state for the whole process; both stay in here. What is called is the
interface of its `speak_lib.h`.
"""

from __future__ import annotations

import ctypes
import os

import espeakng_loader

from rtassist.server.child_side import Handler, Job, serve_child

RATE_HZ = 22_050
_CHUNK_MS = 60

_SYNCHRONOUS = 2  # espeak_Synth returns when the text is done; sound goes to the callback
_DONT_EXIT = 0x8000  # without it, a library that misses its data ends the process without a word
_RATE, _WORD_GAP = 1, 7
_BY_CHARACTER = 1
# Neither espeakSSML nor espeakPHONEMES: text is text, whatever it looks like.
_UTF8, _END_PAUSE = 0x1, 0x1000

_SOUND = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def main() -> None:
    serve_child(set_up)


def set_up() -> Handler:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_SetParameter.argtypes = [ctypes.c_int] * 3
    library.espeak_SetSynthCallback.argtypes = [_SOUND]
    library.espeak_Synth.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
        *(ctypes.c_void_p, ctypes.c_void_p),
    ]
    # As a relative path: the library cuts long ones off, and on Windows understands only some characters.
    data = espeakng_loader.get_data_path()
    os.chdir(os.path.dirname(data))
    rate_hz = library.espeak_Initialize(
        _SYNCHRONOUS, _CHUNK_MS, os.fsencode(os.path.basename(data)), _DONT_EXIT
    )
    if rate_hz != RATE_HZ:
        raise RuntimeError(f"espeak-ng does not find its voices in {data}; install espeakng-loader again.")

    def handle(job: Job) -> None:
        _speak(library, job)

    return handle


def _speak(library: ctypes.CDLL, job: Job) -> None:
    """The payload, in lines: espeak-ng's name of a voice, words a minute, word gap in its units, 1 for a
    pause as after a sentence; the rest is text in UTF-8 without NUL."""
    voice, words_per_minute, word_gap, pause, text = job.payload.split(b"\n", 4)
    if library.espeak_SetVoiceByName(voice) != 0:
        raise ValueError(f"espeak-ng has no voice {voice.decode()}; install espeakng-loader again.")
    library.espeak_SetParameter(_RATE, int(words_per_minute), 0)
    library.espeak_SetParameter(_WORD_GAP, int(word_gap), 0)

    def sound(samples: int | None, count: int, events: int | None) -> int:
        if samples and count:
            job.answer(ctypes.string_at(samples, 2 * count))
        return int(job.abandoned)  # 1: stop here

    callback = _SOUND(sound)
    library.espeak_SetSynthCallback(callback)
    flags = _UTF8 | (_END_PAUSE if int(pause) else 0)
    error = library.espeak_Synth(text, len(text) + 1, 0, _BY_CHARACTER, 0, flags, None, None)
    if error != 0:
        raise RuntimeError(f"espeak-ng reported error {error}.")


if __name__ == "__main__":
    main()
