"""Values made with shared functions are as those that attrs makes."""

from attrs import field, frozen

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
