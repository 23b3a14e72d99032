"""What the columns of a table are called and hold.

A column that a text format reads, or that is computed here, has a `Type`; one of a binary format keeps the type that
Arrow gives it. The questions of this module are answered for both, and Arrow is only loaded where it has been already.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class Type(NamedTuple):
    """The type of a column without Arrow; it has the names that Arrow has for it."""

    family: str
    name: str
    list_size: int = 0
    value_type: "Type | None" = None
    keys: tuple[str, ...] = ()
    """What a structure calls its values."""

    def __str__(self) -> str:
        return self.name

    @property
    def num_fields(self) -> int:
        """How many values a structure holds."""
        return len(self.keys)

    def field(self, place: int) -> "Field":
        """One of the values of a structure."""
        return Field(self.keys[place], self.value_type)


TEXT = Type("string", "string")
FLOAT64 = Type("floating", "double")
FLOAT32 = Type("floating", "float")
INT32 = Type("integer", "int32")
INT64 = Type("integer", "int64")
NAMES = Type("dictionary", "dictionary<values=string, indices=int32, ordered=0>", value_type=TEXT)
NAME_LIST = Type("list", "list<item: string>", value_type=TEXT)

DataType = Any
"""A `Type`, or a type of Arrow's, of which a checker knows nothing."""


def list_of(values: Type, size: int) -> Type:
    """The type of lists that all have one length."""
    return Type("fixed_size_list", f"fixed_size_list<item: {values}>[{size}]", size, values)


def struct_of(values: Type, keys: tuple[str, ...]) -> Type:
    """The type of structures whose values are all of one type."""
    inside = ", ".join(f"{key}: {values}" for key in keys)
    return Type("struct", f"struct<{inside}>", value_type=values, keys=keys)


def _question(name: str, *families: str) -> Callable[[DataType], bool]:
    """A question about types that Arrow asks under the same name; it answers by the number of a type alone."""
    answers: dict[int, bool] = {}

    def is_of(kind: DataType) -> bool:
        if isinstance(kind, Type):
            return kind.family in families
        if kind.id not in answers:  # ten questions about a thousand columns each take their time
            import pyarrow as pa

            answers[kind.id] = bool(getattr(pa.types, name)(kind))
        return answers[kind.id]

    return is_of


is_binary = _question("is_binary")
is_boolean = _question("is_boolean")
is_decimal = _question("is_decimal")
is_dictionary = _question("is_dictionary", "dictionary")
is_fixed_size_list = _question("is_fixed_size_list", "fixed_size_list")
is_floating = _question("is_floating", "floating")
is_integer = _question("is_integer", "integer")
is_large_list = _question("is_large_list")
is_large_string = _question("is_large_string")
is_list = _question("is_list", "list")
is_map = _question("is_map")
is_nested = _question("is_nested", "fixed_size_list", "list", "struct")
is_null = _question("is_null")
is_string = _question("is_string", "string")
is_struct = _question("is_struct", "struct")
is_temporal = _question("is_temporal")


def is_narrow(kind: DataType) -> bool:
    """Whether numbers of this type fit into float32."""
    if isinstance(kind, Type):
        return kind == FLOAT32
    import pyarrow as pa

    return bool(pa.types.is_float32(kind) or pa.types.is_float16(kind))


class Field(NamedTuple):
    """A column's name and type; what computed it may be noted in its metadata."""

    name: str
    type: DataType
    metadata: Mapping[bytes, bytes] | None = None
    nullable: bool = True


class Schema:
    """The columns of a table, in order.

    Parameters
    ----------
    fields : iterable of Field
    metadata : mapping of bytes, optional
        What the file says of itself.
    """

    def __init__(self, fields: Iterable[Field], metadata: Mapping[bytes, bytes] | None = None) -> None:
        self.fields = tuple(fields)
        self.metadata = metadata
        self.names = [field.name for field in self.fields]
        self._places = {name: place for place, name in enumerate(self.names)}

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and (self.fields, self.metadata) == (other.fields, other.metadata)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Schema({', '.join(f'{field.name}: {field.type}' for field in self.fields)})"

    @property
    def types(self) -> list[DataType]:
        """What the columns hold."""
        return [field.type for field in self.fields]

    def place(self, name: str) -> int:
        """Return the position of a column; KeyError where there is none."""
        return self._places[name]

    def field(self, name: str) -> Field:
        """Return a column; KeyError where there is none."""
        return self.fields[self._places[name]]
