"""Makes the spoken sentences beside this file: `python tests/speech/make.py`, with flite installed.

flite (http://www.festvox.org/flite/) and its voices are under a permissive licence (BSD-like), and what they
say is free of conditions. `rms` and `slt` were built from recordings of a man and a woman; the files are
16 kHz mono PCM16, as flite makes them. They are committed, so that tests need no synthesiser and hear the
same samples everywhere.
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

HERE = Path(__file__).parent
SENTENCES = {
    "what_is_seventeen_times_twenty_three": ("what is seventeen times twenty three", "rms slt"),
    "nine_hundred_ninety_nine_minus_one": ("calculate nine hundred ninety nine minus one", "rms"),
    "and_plus_five": ("and plus five", "rms"),
    "what_time_is_it": ("what time is it", "rms slt"),
    "set_a_timer": ("set a timer for ten seconds", "slt"),
    "set_a_tea_timer": ("set a timer for five minutes called tea", "rms"),
    "read_me_a_story": ("read me a story", "rms slt"),
    "count_to_twenty": ("count to twenty", "rms slt"),
    "spell_elephant": ("spell elephant", "slt"),
    "hello": ("hello", "rms slt"),
    "what_can_you_do": ("what can you do", "rms"),
    "stop": ("stop", "rms slt"),
    "goodbye": ("goodbye", "rms slt"),
    "foreign_train": ("the train was late because of the snow", "rms slt"),
    "foreign_order": ("i would like to order a large pizza with mushrooms", "rms"),
}


def main() -> None:
    for name, (text, voices) in SENTENCES.items():
        for voice in voices.split():
            path = HERE / f"{name}_{voice}.wav"
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
            with wave.open(str(path)) as made:
                assert (made.getframerate(), made.getnchannels(), made.getsampwidth()) == (16_000, 1, 2)


if __name__ == "__main__":
    main()
