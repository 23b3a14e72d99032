"""Every page of help, as it was last looked at."""

import importlib.util
from importlib.metadata import version
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("pages", Path(__file__).with_name("pages.py"))
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)

# Its boxes are drawn by typer, and older ones draw others.
drawn_alike = pytest.mark.skipif(
    tuple(map(int, version("typer").split(".")[:2])) < (0, 29), reason="pages are as typer 0.29 draws them"
)


@drawn_alike
@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_is_what_the_program_prints(softmax_cli, name):
    done = softmax_cli(*pages.PAGES[name], env=pages.WIDTH)
    assert (done.code, done.err) == (0, "")
    assert pages.tidied(done.text) == (pages.FOLDER / f"{name}.txt").read_text("utf-8"), (
        "python tests/help/pages.py writes it anew"
    )


def test_there_is_a_page_for_each_command_and_no_other():
    assert {path.stem for path in pages.FOLDER.glob("*.txt")} == pages.PAGES.keys()
