"""Plots: every kind of file, every number of classes, and no name drawn over another."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest

from softmax_cli.errors import UsageError
from softmax_cli.page.plot import check_plot

pytest.importorskip("matplotlib")


@pytest.fixture
def table(tmp_path):
    """Make labelled logits of so many classes; the names are long where they are few."""

    def make(classes: int, rows: int = 300):
        rng = np.random.default_rng(classes)
        names = [f"a rather long class name {i}" if classes <= 10 else f"c{i}" for i in range(classes)]
        labels = rng.integers(classes, size=rows)
        z = rng.normal(size=(rows, classes)) + 2.5 * np.eye(classes)[labels]
        lines = [",".join(["label", *(f"logit_{name}" for name in names)])]
        lines += [",".join([names[y], *(f"{value:.4f}" for value in row)]) for y, row in zip(labels, z, strict=True)]
        path = tmp_path / f"{classes}.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return make


def texts_of(svg: str) -> list[str]:
    return [re.sub("<[^>]*>", "", text).strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)]


@pytest.mark.parametrize("classes", [2, 10, 100, 214])
def test_evaluate_draws_any_number_of_classes(softmax_cli, table, tmp_path, classes):
    done = softmax_cli("evaluate", table(classes), "--plot", "plots.svg", "--json", "-q")
    assert done.code == 0, done.err
    figures = json.loads(done.text)["figures"]
    texts = texts_of((tmp_path / "plots.svg").read_text("utf-8"))
    low, high = figures["ece"]["interval"]
    assert f"ECE {figures['ece']['value']:.4f} [{low:.4f}, {high:.4f}]" in " ".join(texts)
    assert sum("N = 300" in text for text in texts) >= 3
    assert any("Most confused" in text for text in texts) == (classes > 20)


def test_a_pdf_embeds_fonts_that_publishers_take(softmax_cli, table, tmp_path):
    assert softmax_cli("evaluate", table(3), "--plot", "a.pdf", "-q", "--plots", "confusion").code == 0
    drawn = (tmp_path / "a.pdf").read_bytes()
    assert b"/CIDFontType2" in drawn
    assert b"/Type3" not in drawn


def test_the_same_table_gives_the_same_bytes(softmax_cli, table, tmp_path):
    for name in ("a", "b"):
        for suffix in ("svg", "png", "pdf"):
            assert softmax_cli("evaluate", table(3), "--plot", f"{name}.{suffix}", "-q", "--plots", "risk").code == 0
    for suffix, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        first = (tmp_path / f"a.{suffix}").read_bytes()
        assert first.startswith(start)
        assert first == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("classes", [2, 10, 20, 100])
def test_no_name_is_drawn_over_another(table, tmp_path, classes):
    """The boxes of the tick labels of an axis do not overlap, as matplotlib lays them out."""
    import matplotlib

    from softmax_cli.page.plot import LABELLED_CLASSES, STYLE, draw_sheet, name_ticks

    names = [
        f"a rather long class name {i}" if classes <= 10 else f"class {i}"
        for i in range(min(classes, LABELLED_CLASSES))
    ]

    def panel(place):
        axes = place.subplots()
        axes.imshow(np.zeros((len(names), len(names))))
        name_ticks(axes, names)
        name_ticks(axes, names, vertical=False)

    with matplotlib.rc_context(STYLE):
        sheet = draw_sheet([panel, panel], "a title")
        sheet.savefig(tmp_path / "sheet.png")
        for axes in sheet.findobj(lambda one: hasattr(one, "get_yticklabels")):
            for labels in (axes.get_yticklabels(), axes.get_xticklabels()):
                boxes = [label.get_window_extent() for label in labels if label.get_text()]
                assert len(boxes) == len(names)
                assert not [1 for one, other in itertools.pairwise(boxes) if one.overlaps(other)]


def test_explain_draws_every_temperature(softmax_cli, tmp_path):
    assert softmax_cli("explain", "cat=2", "$x$=1", "-T", "1.7", "--plot", "e.svg").code == 0
    texts = texts_of((tmp_path / "e.svg").read_text("utf-8"))
    titles = [text.partition(" (")[0] for text in texts if text.startswith("T = ")]
    assert titles == ["T = 0.5", "T = 1", "T = 1.7", "T = 2", "T = 5"]
    assert "$x$" in texts
    assert "0.731" in texts


@pytest.mark.parametrize(("names", "height"), [(3, 2 * 2.1 + 0.4), (40, 2 * 4.6 + 0.4), (None, 2 * 4.6 + 0.4)])
def test_a_sheet_is_as_high_as_its_lists_need(names, height):
    from softmax_cli.page.plot import draw_sheet

    sheet = draw_sheet([lambda place: place.subplots()] * 4, "a title", names)
    assert sheet.get_size_inches().tolist() == pytest.approx([9.2, height])


@pytest.mark.parametrize("outlying", [False, True])
def test_inspect_draws_scores_and_outliers(softmax_cli, table, tmp_path, outlying):
    path = table(3)
    if outlying:
        path.write_text(re.sub(r",[-\d.]+\n$", ",900\n", path.read_text()))
    assert softmax_cli("inspect", path, "--plot", "i.svg", "-q").code == 0
    texts = texts_of((tmp_path / "i.svg").read_text("utf-8"))
    assert {"Scores", "Confidence (20 bins, N = 300)", "Entropy (20 bins, N = 300)"} <= {*texts}
    assert ("Outliers" in texts) == outlying
    assert any("logarithmic beyond" in text for text in texts) == outlying
    assert ("score (logits); no cell with a robust z beyond 6" in texts) != outlying


def test_calibrate_draws_before_and_after(softmax_cli, table, tmp_path):
    done = softmax_cli("calibrate", table(3), "--plot", "c.svg", "--json", "-q")
    assert done.code == 0, done.err
    told = json.loads(done.text)
    texts = texts_of((tmp_path / "c.svg").read_text("utf-8"))
    assert {"Before", "After (temperature, held-out rows)", "Loss against T (N = 300)"} <= {*texts}
    fitted = re.search(r"T = ([\d.]+)", told["description"])[1]
    assert any(text.endswith(f"at T = {float(fitted):.3g}") for text in texts)
    for side in ("before", "after"):
        assert f"ECE {told[side]['ece']:.4f}" in " ".join(texts)


def test_weights_draws_what_they_do(softmax_cli, tmp_path):
    (tmp_path / "counts.csv").write_text("class,count\ncat,90\ndog,10\n")
    assert softmax_cli("weights", "counts.csv", "--plot", "w.svg", "-q").code == 0
    assert {"cat", "dog", "Training rows"} <= {*texts_of((tmp_path / "w.svg").read_text("utf-8"))}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plot", "a.gif"], "--plot a.gif: the name has to end in .png, .svg or .pdf"),
        (["--plots", "risk"], "--plots chooses what --plot FILE draws"),
        (["--plot", "a.png", "--plots", "pie"], "no plot is called 'pie'; there are: reliability"),
        (["--plot", "x.png", "--report", "x.png"], "another output has this name"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_reading(softmax_cli, tmp_path, arguments, message):
    (tmp_path / "no_table.csv").write_bytes(b"")
    done = softmax_cli("evaluate", "no_table.csv", *arguments)
    assert done.code == 2
    assert message in " ".join(done.err.split())


def test_without_matplotlib_the_library_itself_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"--plot needs matplotlib: pip install 'matplotlib>=3\.9'"):
        check_plot("a.png")
