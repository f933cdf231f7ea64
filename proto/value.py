"""Frozen values: what dataclasses do, without what they cost.

``dataclasses`` imports ``inspect`` (11 ms) and compiles code for each class (0.3 ms; there are eighty of them on
the way of ``create``): together 35 ms of a call that takes 100. A value's methods are written once, here, and
work from the list of fields. Type checkers see a frozen dataclass.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, TypeVar, dataclass_transform

    R = TypeVar("R", bound="Value")
else:

    def dataclass_transform(**_):  # noqa: ANN003, ANN201
        """Do nothing; at run time there is no type checker."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class Value:
    """Base of immutable values: annotated class attributes are the fields, in their order.

    Two values are equal if they have the same class and equal fields. A default that is a dict is copied.
    """

    __fields__: "ClassVar[tuple[str, ...]]" = ()
    __match_args__: "ClassVar[tuple[str, ...]]" = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()  # for Generic beside it
        own = (name for name in cls.__annotations__ if name not in cls.__fields__)
        cls.__fields__ = (*cls.__fields__, *own)
        cls.__match_args__ = cls.__fields__  # type: ignore[misc]

    def __init__(self, *values: "Any", **named: "Any") -> None:
        cls = type(self)
        if len(values) > len(cls.__fields__):
            msg = f"{cls.__name__} has {len(cls.__fields__)} fields, not {len(values)}"
            raise TypeError(msg)
        own = self.__dict__
        own.update(zip(cls.__fields__, values, strict=False))
        for name, value in named.items():
            if name in own or name not in cls.__fields__:
                msg = f"{cls.__name__} has no field {name}, or it is given twice"
                raise TypeError(msg)
            own[name] = value
        if len(own) < len(cls.__fields__):
            self._fill_in()

    def _fill_in(self) -> None:
        own = self.__dict__
        for name in type(self).__fields__:
            if name not in own:
                try:
                    default = getattr(type(self), name)
                except AttributeError:
                    msg = f"{type(self).__name__} lacks its field {name}"
                    raise TypeError(msg) from None
                own[name] = dict(default) if isinstance(default, dict) else default

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"{type(self).__name__} is frozen"
        raise AttributeError(msg)

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in type(self).__fields__)))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={self.__dict__[name]!r}" for name in type(self).__fields__)
        return f"{type(self).__name__}({inside})"


# These two are not fields, and get_type_hints() of a subclass could not resolve them.
Value.__annotations__.clear()


def replace(value: "R", **changes: "Any") -> "R":
    """Return a copy of the value with some fields changed.

    Raises:
        TypeError: there is no such field.

    """
    return type(value)(**{**value.__dict__, **changes})


def has_default(cls: type[Value], name: str) -> bool:
    """Whether a field may be left out."""
    return hasattr(cls, name)


def as_dict(value: Value) -> "dict[str, Any]":
    """Return the fields of a value by name."""
    return dict(value.__dict__)
