"""Images that the user showed: the last of them are shown to the next session as well.

Of an older one the next session has the line, with the name of the file. What an image takes of a model's
context is not documented for realtime models; two of them take no more than what is said in some minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rtassist.dialogue import turns
from rtassist.dialogue.draft import Draft
from rtassist.dialogue.state import Image
from rtassist.dialogue.terms import Turn
from rtassist.protocol import Item, UserContent, UserMessage

MOST_KEPT: Final = 2
MOST_CHARACTERS: Final = 1_500_000
"""Of all that are kept together, as data URIs: room for one of a megabyte, which is the largest, or for two
photos of 1024 pixels."""


def keep(do: Draft, line: Turn, url: str) -> None:
    """The newest one stays in any case."""
    kept = [Image(line, url)]
    room = MOST_CHARACTERS - len(url)
    for image in reversed(do.state.images[-MOST_KEPT + 1 :]):
        room -= len(image.url)
        if room < 0:
            break
        kept.insert(0, image)
    do.change(images=tuple(kept))


def as_items(history: Sequence[Turn], images: Sequence[Image]) -> Iterator[Item]:
    """Lines as items, each with the image that was shown with it, where that was kept."""
    left, urls = [*images], {}
    for index in range(len(history) - 1, -1, -1):  # the same file may have been shown twice
        if left and history[index] == left[-1].line:
            urls[index] = left.pop().url
    for index, turn in enumerate(history):
        item = turns.as_item(turn)
        if index in urls and isinstance(item, UserMessage):
            shown = UserContent(type="input_image", image_url=urls[index])
            item = UserMessage(content=(shown, *(item.content or ())))
        yield item
