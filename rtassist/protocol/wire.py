"""Text to event and back: one cattrs converter, two explicit tables, `Unknown` for the rest."""

from rtassist.protocol.client_events import ClientEvent
from rtassist.protocol.server_events import ServerEvent
from rtassist.protocol.translation_events import TranslationClientEvent, TranslationServerEvent
from rtassist.protocol.unknown import Unknown


def decode(frame: str | bytes) -> ServerEvent | Unknown:
    raise NotImplementedError


def decode_client(frame: str | bytes) -> ClientEvent | Unknown:
    raise NotImplementedError


def decode_translation(frame: str | bytes) -> TranslationServerEvent | Unknown:
    raise NotImplementedError


def decode_translation_client(frame: str | bytes) -> TranslationClientEvent | Unknown:
    raise NotImplementedError


def encode(
    event: ServerEvent | ClientEvent | TranslationServerEvent | TranslationClientEvent | Unknown,
) -> str:
    raise NotImplementedError
