"""Option groups become keywords that typer understands."""

import inspect
from dataclasses import dataclass, field

import pytest

from softmax_cli.options.parser import takes_groups


@dataclass(frozen=True)
class Size:
    height: int = 1
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Color:
    hue: str = "red"


@dataclass(frozen=True)
class Shade:
    hue: str = "dark"


def test_the_command_gets_groups_and_typer_sees_fields():
    got = []

    def draw(size: Size, color: Color) -> None:
        got.append((size, color))

    typed = takes_groups(draw)
    parameters = inspect.signature(typed).parameters
    assert {name: p.default for name, p in parameters.items()} == {"height": 1, "names": [], "hue": "red"}
    typed(height=2, names=["a"], hue="blue")
    assert got == [(Size(2, ["a"]), Color("blue"))]


def test_two_groups_cannot_share_a_name():
    def draw(color: Color, shade: Shade) -> None: ...

    with pytest.raises(TypeError, match="'hue'"):
        takes_groups(draw)


@dataclass(frozen=True)
class Canvas:
    cloth: str


def test_an_option_without_a_default_has_to_be_given():
    def draw(canvas: Canvas) -> None: ...

    assert inspect.signature(takes_groups(draw)).parameters["cloth"].default is inspect.Parameter.empty


@dataclass(frozen=True)
class Paint:
    color: Color
    layers: int = 1


def test_a_group_may_be_made_of_groups():
    got = []

    def draw(size: Size, paint: Paint) -> None:
        got.append((size, paint))

    typed = takes_groups(draw)
    assert list(inspect.signature(typed).parameters) == ["height", "names", "hue", "layers"]
    typed(height=2, names=[], hue="blue", layers=3)
    assert got == [(Size(2, []), Paint(Color("blue"), 3))]


def test_a_name_within_a_group_cannot_be_shared_either():
    def draw(paint: Paint, shade: Shade) -> None: ...

    with pytest.raises(TypeError, match="Color and Shade both have an option 'hue'"):
        takes_groups(draw)
