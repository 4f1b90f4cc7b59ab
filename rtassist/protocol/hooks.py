"""Makes the functions that turn JSON objects into our frozen classes and back, with every type checked.

A hook is source text, compiled once per class, as attrs and cattrs do it. What it spares, measured on a
transcript delta of nine fields: calling the class 1.6 µs, setting slots one by one 0.8 µs, this way 0.35 µs.
"""

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, get_args

import attrs
from cattrs import Converter
from pybase64 import b64encode_as_string

from rtassist.protocol.bad_frame import BadFrame
from rtassist.protocol.catalogue import Variants
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Unset
from rtassist.protocol.values import EXACT, NAMES, Case, cases_of, exact, free, one_of, same, unknown_fields


def structure_hook(cls: type, converter: Converter) -> Case:
    """JSON object → `cls`. Raises BadFrame with the path from this object, or Rounded; changes nothing given.

    A field is optional if UNSET is a value or the default of it; what is absent becomes UNSET, whatever the
    default for a caller is. Fields that `cls` does not name go into `extras`.
    """
    fields = [f for f in attrs.fields(cls) if f.name != "extras"]
    scope: dict[str, Any] = {
        "BadFrame": BadFrame,
        "NO_EXTRAS": NO_EXTRAS,
        "UNSET": UNSET,
        "cls": cls,
        "known": frozenset(f.name for f in fields),
        "twin": _twin(cls),
        "unknown_fields": unknown_fields,
    }
    body: list[str] = []
    required = 0
    for f in fields:
        check = _check(f.name, cases_of(f.type, converter), scope)
        if _optional(f):
            body += [f"v = get({f.name!r}, UNSET)", "if v is not UNSET:", "    left -= 1"]
            body += [f"    {line}" for line in check]
        else:
            required += 1
            body += [f"v = o[{f.name!r}]", *check]
        body.append(f"new.{f.name} = v")
    lines = [
        "def structure(o, _=None):",
        "    at = ''",
        "    get = o.get",
        f"    left = len(o) - {required}",
        "    new = twin()",
        "    try:",
        *(f"        {line}" for line in body),
        "    except KeyError as missing:",
        "        raise BadFrame(missing.args[0], 'is missing') from None",
        "    except BadFrame as bad:",
        "        raise bad.under(at) from None",
        "    new.extras = unknown_fields(o, known) if left else NO_EXTRAS",
        "    new.__class__ = cls",
        "    return new",
    ]
    return _compiled("structure", lines, scope, cls)


def _check(name: str, cases: Mapping[type, Case], scope: dict[str, Any]) -> list[str]:
    """Lines that make of `v` what the field holds: the usual classes inline, all others by a call."""
    scope[f"case_{name}"] = one_of(cases)
    rare = f"at = {name!r}; v = case_{name}(v)"
    plain = next((c for c in (str, int, bool, bytes) if cases.get(c) is same), None)
    if cases.get(float) is exact:
        return [f"if v.__class__ is not float or not -{EXACT} < v < {EXACT}: {rare}"]
    if plain is not None:
        return [f"if v.__class__ is not {plain.__name__}: {rare}"]
    held = next((c for c in (dict, list) if c in cases), None)
    if held is None:
        return [rare]
    scope[f"held_{name}"] = cases[held]
    return [
        f"if v.__class__ is {held.__name__}: at = {name!r}; v = held_{name}(v)",
        f"elif v is not None: {rare}" if NoneType in cases else f"else: {rare}",
    ]


def sibling_hook(cls: type, payload: str) -> Case:
    """An event like another, with an `event_id` and a payload of its own; nothing is checked."""
    own = {"event_id": "event_id", payload: "payload"}
    lines = [
        "def sibling(event, event_id, payload):",
        "    new = twin()",
        *(f"    new.{f.name} = {own.get(f.name, f'event.{f.name}')}" for f in attrs.fields(cls)),
        "    new.__class__ = cls",
        "    return new",
    ]
    return _compiled("sibling", lines, {"cls": cls, "twin": _twin(cls)}, cls)


def unstructure_hook(cls: type) -> Callable[[Any], Mapping[str, object]]:
    """`cls` → JSON object, one level deep: what the fields hold is left for the JSON writer to ask about."""
    fields = attrs.fields_dict(cls)
    if "fields" in fields:
        return _unknown_variant
    lines = ["def unstructure(event):", "    o = {}"]
    for name, field in fields.items():
        if name == "extras":
            lines.append("    if event.extras: o.update(event.extras)")
        elif field.type is bytes:
            lines.append(f"    o[{name!r}] = base64(event.{name})")
        elif _optional(field):
            lines += [f"    v = event.{name}", f"    if v is not UNSET: o[{name!r}] = v"]
        else:
            lines.append(f"    o[{name!r}] = event.{name}")
    lines.append("    return o")
    return _compiled("unstructure", lines, {"UNSET": UNSET, "base64": b64encode_as_string}, cls)


def _unknown_variant(value: Any) -> Mapping[str, object]:
    fields: Mapping[str, object] = value.fields
    return fields if "type" in fields or not value.type else {"type": value.type, **fields}


def _optional(field: "attrs.Attribute[Any]") -> bool:
    return field.default is UNSET or Unset in get_args(field.type)


def _twin(cls: type) -> type:
    """A class with the same slots that lets them be set; its instances are told their class afterwards."""
    return type(cls.__name__, (), {"__slots__": cls.__slots__})  # type: ignore[attr-defined]  # attrs adds it


def _compiled(name: str, lines: list[str], scope: dict[str, Any], cls: type) -> Callable[..., Any]:
    source = "\n".join(lines)
    exec(compile(source, f"<{name} {cls.__qualname__}>", "exec"), scope)
    hook: Callable[..., Any] = scope[name]
    return hook


def variants_hook(variants: Variants, converter: Converter) -> Case:
    """JSON object → the class of a union that the object's tag names, or the union's unknown variant."""
    hooks: dict[Any, Case] = {}
    field, unknown = variants.tag, variants.unknown

    def hook_for(tag: Any) -> Case:
        cls = variants.absent if tag is UNSET or tag is None else variants.classes.get(tag)
        if cls is None:
            return keep
        if isinstance(cls, Variants):
            return variants_hook(cls, converter)
        hook: Case = converter.get_structure_hook(cls)
        return hook

    def keep(o: dict[str, Any]) -> object:
        name = o.get("type")
        return unknown(type=name if isinstance(name, str) else "", fields=free(o))

    def structure(o: dict[str, Any], _: object = None) -> object:
        tag = o.get(field, UNSET)
        if tag.__class__ is not str and tag is not UNSET and tag is not None:
            raise BadFrame(field, f"must be a string, not {NAMES[tag.__class__]}")
        hook = hooks.get(tag)
        if hook is None:
            hook = hook_for(tag)
            if hook is not keep:  # or a server could make the table grow without end
                hooks[tag] = hook
        return hook(o)

    return structure
