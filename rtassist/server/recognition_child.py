"""The child process that recognises: PCM16 at 16 kHz in as it is spoken, out what was heard, twice.

Freely, by pocketsphinx's own language model, and as one of the sentences that the stand-in knows, by an
automaton of them. The recogniser holds the interpreter lock for as long as it computes, so it is in here.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator

import pocketsphinx

from rtassist.server.child_side import Handler, Job, serve_child
from rtassist.server.likeness import sounds_alike, words_alike
from rtassist.server.stand_in.automaton import automaton
from rtassist.server.stand_in.phrases import GRAMMAR
from rtassist.server.utterance import RATE, Utterance

# What comes after is not heard: nobody says a sentence that long to a stand-in.
_LONGEST_S = 60
# The longest known sentence takes about 8 s; longer ones are not looked for among them.
_LONGEST_KNOWN_S = 15
# The free decoder works while the user speaks, so it has to guess the means of the cepstra from the first
# 600 ms of speech: from the model's own start value it understands nothing of one voice in four.
_LISTEN_FIRST_FRAMES = 30
# An abandoned utterance is noticed after such a step, and the thread that reads gets its turn.
_STEP_BYTES = RATE // 50 * 2

# When a known sentence counts. A decoder that knows only those makes one of anything; but not the same one
# when the sound is a little faster or slower, nor one that sounds like what the free decoder heard. Of 128
# sentences that were heard right 118 pass, of 6 that were heard wrong none, of 40 others 2 ("tell me a joke",
# twice). A third of the words in common, the simpler rule, let pass 112, 2 and 3.
_SURE_BY_WORDS = 0.8
_LEAST_BY_WORDS = 0.33
_LEAST_BY_SOUNDS = 0.5
_OTHER_SPEEDS = (1.04, 0.96)


def main() -> None:
    serve_child(set_up)


def set_up() -> Handler:
    decoders = Decoders()

    def handle(job: Job) -> None:
        heard, known = decoders.recognise(job.data())
        job.answer(json.dumps({"heard": heard, "known": known}).encode())

    return handle


class Decoders:
    """Both decoders. Nothing is kept between utterances: the same sound gives the same words, whatever was
    heard before."""

    def __init__(self) -> None:
        # The language weight and the probability of silence are the best of those tried on 268 sentences of
        # four voices; pocketsphinx's own, 6.5 and 0.005, are for free speech.
        self._known = pocketsphinx.Decoder(lm=None, lw=2.0, silprob=0.05, loglevel="FATAL")
        # One word: as two, "a" alone wins over "eight".
        self._known.add_word("a_hundred", "AH HH AH N D R AH D", True)
        sentences = automaton(GRAMMAR, "sentence")
        arcs: list[tuple[int, int, float] | tuple[int, int, float, str]] = [
            (start, end, 1.0, word) for start, end, word in sentences.arcs
        ]
        arcs += [(state, sentences.states, 1.0) for state in sorted(sentences.final)]
        self._known.add_fsg("known", self._known.create_fsg("known", 0, sentences.states, arcs))
        self._known.activate_search("known")
        self._sentences = sentences
        self._free = pocketsphinx.Decoder(loglevel="FATAL")

    def recognise(self, chunks: Iterator[bytes]) -> tuple[str, str]:
        """What was heard freely, and what known sentence it certainly was; either may be empty. Blocks until
        `chunks` ends."""
        utterance = Utterance(_LONGEST_S)
        free = self._free
        done: int | None = None
        try:
            for chunk in chunks:
                utterance.add(chunk)
                if done is None and utterance.speech_frames >= _LISTEN_FIRST_FRAMES:
                    done = utterance.beginning
                    free.start_utt()
                    free.set_cmn(self._means(bytes(utterance.pcm[done:])))
                if done is not None:
                    done = self._listen(utterance.pcm, done)
        except BaseException:
            if done is not None:
                free.end_utt()
            raise
        speech = utterance.trimmed()
        if not speech:
            return "", ""
        if done is None:
            free.start_utt()
            free.process_raw(speech, full_utt=True)
        free.end_utt()
        heard = _words(free)
        return heard, self._known_sentence(speech, heard).replace("_", " ")

    def _known_sentence(self, speech: bytes, heard: str) -> str:
        if len(speech) > _LONGEST_KNOWN_S * RATE * 2:
            return ""
        known = self._as_known(speech)
        by_words = words_alike(known.replace("_", " "), heard)
        if by_words >= _SURE_BY_WORDS:
            return known
        if (
            by_words < _LEAST_BY_WORDS
            and sounds_alike(self._sounds(known), self._sounds(heard)) < _LEAST_BY_SOUNDS
        ):
            return ""
        same = all(self._as_known(played_faster(speech, by)) == known for by in _OTHER_SPEEDS)
        return known if same else ""

    def _sounds(self, words: str) -> list[str]:
        return [sound for word in words.split() for sound in (self._known.lookup_word(word) or "").split()]

    def _listen(self, pcm: bytearray, done: int) -> int:
        while len(pcm) - done >= _STEP_BYTES:
            self._free.process_raw(bytes(pcm[done : done + _STEP_BYTES]))
            done += _STEP_BYTES
        return done

    def _means(self, pcm: bytes) -> str:
        """Of the cepstra of some sound, as `set_cmn` takes them."""
        self._known.start_utt()
        self._known.process_raw(pcm, no_search=True, full_utt=True)
        self._known.end_utt()
        means: str = self._known.get_cmn()
        return means

    def _as_known(self, speech: bytes) -> str:
        """Decoded at the end and at once, so that the means are those of the whole utterance. It takes 30 ms
        for a second of speech, and recognises 63 of 67 sentences of a voice; decoded as they were spoken,
        from the model's own means on, it was 9."""
        self._known.start_utt()
        self._known.process_raw(speech, full_utt=True)
        self._known.end_utt()
        words = _words(self._known)
        # The best path may be half a sentence, where no whole one survived.
        return words if self._sentences.accepts(words.split()) else ""


def played_faster(pcm: bytes, by: float) -> bytes:
    """Higher, too. Straight lines between samples are good enough for ears like these."""
    samples = array("h", pcm)
    places = (index * by for index in range(int((len(samples) - 1) / by)))
    return array(
        "h", (int(samples[at := int(x)] + (samples[at + 1] - samples[at]) * (x - at)) for x in places)
    ).tobytes()


def _words(decoder: pocketsphinx.Decoder) -> str:
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis is not None else ""
