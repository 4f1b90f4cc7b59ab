"""An event that we have no class for."""

from attrs import frozen

from rtassist.protocol.unset import Extras


@frozen
class Unknown:
    """An event of a type that we do not know, kept whole. New types are normal traffic, not an error.

    `fields` is the whole object as it came, `type` and `event_id` included; it encodes back equal.
    """

    type: str
    fields: Extras
