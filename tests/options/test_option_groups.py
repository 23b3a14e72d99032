"""Option groups become keywords that typer understands."""

import inspect

import pytest

from softmax_cli.options.parser import Options, takes_groups


class Size(Options):
    height: int = 1
    names: list[str] = []  # noqa: RUF012


class Color(Options):
    hue: str = "red"


class Shade(Options):
    hue: str = "dark"


def test_the_command_gets_groups_and_typer_sees_fields():
    got = []

    def draw(size: Size, color: Color) -> None:
        got.append((size, color))

    typed = takes_groups(draw)
    parameters = inspect.signature(typed).parameters
    assert {name: p.default for name, p in parameters.items()} == {"height": 1, "names": [], "hue": "red"}
    typed(height=2, names=["a"], hue="blue")
    assert [vars(group) for group in got[0]] == [{"height": 2, "names": ["a"]}, {"hue": "blue"}]


def test_two_groups_cannot_share_a_name():
    def draw(color: Color, shade: Shade) -> None: ...

    with pytest.raises(TypeError, match="'hue'"):
        takes_groups(draw)


class Canvas(Options):
    cloth: str


def test_an_option_without_a_default_has_to_be_given():
    def draw(canvas: Canvas) -> None: ...

    assert inspect.signature(takes_groups(draw)).parameters["cloth"].default is inspect.Parameter.empty


class Paint(Options):
    color: Color
    layers: int = 1


def test_a_group_may_be_made_of_groups():
    got = []

    def draw(size: Size, paint: Paint) -> None:
        got.append((size, paint))

    typed = takes_groups(draw)
    assert list(inspect.signature(typed).parameters) == ["height", "names", "hue", "layers"]
    typed(height=2, names=[], hue="blue", layers=3)
    size, paint = got[0]
    assert (size.height, size.names, paint.color.hue, paint.layers) == (2, [], "blue", 3)


def test_a_name_within_a_group_cannot_be_shared_either():
    def draw(paint: Paint, shade: Shade) -> None: ...

    with pytest.raises(TypeError, match="Color and Shade both have an option 'hue'"):
        takes_groups(draw)


class Tint(Shade):
    """Inherits an option, and checks what it is made of."""

    share: float = 0.5

    def __post_init__(self) -> None:
        if self.share > 1:
            raise ValueError("share")


def test_a_group_holds_its_options_and_those_that_it_inherits():
    assert vars(Tint(share=0.25)) == {"hue": "dark", "share": 0.25}
    assert vars(Tint(share=0.25).replaced(hue="light")) == {"hue": "light", "share": 0.25}
    with pytest.raises(ValueError, match="share"):
        Tint().replaced(share=2)
    with pytest.raises(TypeError, match="Tint has no option hues"):
        Tint(hues="red")
