"""Values made with shared functions are as those that attrs makes."""

import importlib
import pkgutil

import attrs
import pytest
from attrs import field, frozen

import rtassist.protocol
from rtassist.protocol.compared import compared
from rtassist.protocol.unset import NO_EXTRAS, UNSET, Extras, Unset


def made() -> tuple[type, type]:
    class Part:
        type: str = "part"
        text: str | Unset | None = UNSET
        extras: Extras = field(default=NO_EXTRAS, hash=False)

    by_attrs = frozen(kw_only=True, weakref_slot=False)(Part)
    shared = compared(frozen(kw_only=True, weakref_slot=False, eq=False, repr=False)(Part))
    return by_attrs, shared


def test_equality_is_that_of_attrs() -> None:
    for cls in made():
        assert cls(text="a") == cls(text="a")
        assert cls(text="a") != cls(text="b")
        assert cls(text="a") != cls(text="a", extras={"more": 1})
        assert cls(text=None) != cls()
        assert cls() != "part"
    one, other = made()
    assert one() != other()


def test_a_hash_leaves_out_what_attrs_leaves_out() -> None:
    for cls in made():
        assert hash(cls(text="a")) == hash(cls(text="a", extras={"more": 1}))
        assert hash(cls(text="a")) != hash(cls(text="b"))
        assert {cls(text="a"): 1}[cls(text="a")] == 1


def test_a_value_prints_as_attrs_prints_it() -> None:
    one, other = (repr(cls(text="a", extras={"more": 1})) for cls in made())
    assert one.endswith(other)
    assert other == "Part(type='part', text='a', extras={'more': 1})"


def of_the_protocol() -> list[type]:
    """Every attrs class that is defined below `rtassist.protocol`."""
    found = pkgutil.iter_modules(rtassist.protocol.__path__, "rtassist.protocol.")
    modules = [importlib.import_module(module.name) for module in found]
    return [
        cls
        for module in modules
        for cls in vars(module).values()
        if isinstance(cls, type) and attrs.has(cls) and cls.__module__ == module.__name__
    ]


@pytest.mark.parametrize("cls", of_the_protocol(), ids=lambda cls: cls.__name__)
def test_every_value_of_the_protocol_compares_by_all_of_its_fields(cls: type) -> None:
    """Who forgets one of the two decorators has values that are equal to themselves alone."""
    names = [f.name for f in attrs.fields(cls)]
    one: object = object.__new__(cls)
    other: object = object.__new__(cls)
    for value in (one, other):
        for name in names:
            object.__setattr__(value, name, 1)
    assert one == other
    assert hash(one) == hash(other)
    for name in names:
        assert f"{name}=1" in repr(one)
        object.__setattr__(other, name, 2)
        assert one != other
        object.__setattr__(other, name, 1)
