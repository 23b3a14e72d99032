"""Pages in a real browser: no error, no request, and every number that the program has."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from softmax_cli.explanation.example import numbers

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    pytest.importorskip("jinja2")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def show(browser):
    """Open a page from a file; at the end it has said nothing on the console and asked for nothing."""
    heard: list[str] = []
    pages = []

    def opened(path: Path, width: int = 1280, scheme: str = "light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: heard.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("request", lambda request: None if request.url.startswith("file:") else heard.append(request.url))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
    assert heard == []


@pytest.fixture
def table(tmp_path):
    """The digits with class names that are markup."""
    root = Path(__file__).parents[2] / "examples"
    text = (root / "digits_imbalanced.csv").read_text()
    path = tmp_path / "digits.csv"
    path.write_text(text.replace("logit_nine", "logit_<b>nine</b>").replace(",nine,", ",<b>nine</b>,"))
    return path


def column(page, table: str, number: int) -> list[str]:
    return page.locator(f"#{table} tbody tr:visible > :nth-child({number})").all_inner_texts()


class TestExplanation:
    @pytest.fixture
    def page_of(self, softmax_cli, tmp_path):
        def make(*arguments: str) -> Path:
            done = softmax_cli("explain", *arguments, "--page", "softmax.html", "--force")
            assert done.code == 0, done.err
            return tmp_path / "softmax.html"

        return make

    @pytest.mark.parametrize(
        "arguments",
        [
            ("2", "1", "0.1"),
            ("cat=3.5", "dog=-2", "eel=0", "fox=-inf", "-T", "1.7"),
            ("700", "710", "-800"),
            ("cat=1", "dog=-9", "-w", "cat=0.5,dog=4"),
            ("3", "1", "-T", "inf"),
            ("3", "1", "-T", "1e-300"),
        ],
    )
    def test_the_numbers_are_those_of_the_program(self, page_of, show, softmax_cli, arguments):
        page = show(page_of(*arguments))
        told = json.loads(softmax_cli("explain", *arguments, "--json").text)
        steps = told["steps"]
        for place, values, total in (
            (3, steps["minus_maximum"], []),
            (4, steps["exponentials"], [steps["sum"]]),
            (6, steps["prob"], [1.0]),
        ):
            printed = numbers([-math.inf if value is None else value for value in [*values.values(), *total]])
            assert column(page, "steps", place) == printed[: len(values)]
        page.locator("#outlier").fill("0")
        for place, name in ((3, "softmax"), (6, "entmax15"), (7, "sparsemax")):
            assert column(page, "outliers", place) == numbers(list(told["alternatives"][name].values()))

    def test_an_outlier_is_clipped_as_by_predict(self, page_of, show, softmax_cli):
        page = show(page_of("cat=3.5", "dog=-7", "eel=1"))
        page.locator("#outlier-class").select_option("eel")
        page.locator("#outlier").fill("12.5")
        pushed = b"cat,dog,eel\n3.5,-7,13.5\n"
        for place, flag in ((4, "--clip-logits=-5,5"), (5, "--softcap=5")):
            done = softmax_cli("predict", "-", flag, "--format", "jsonl", "-q", stdin=pushed)
            told = json.loads(done.text)
            wanted = numbers([told[f"prob_{name}"] for name in ("cat", "dog", "eel")])
            assert column(page, "outliers", place) == wanted

    def test_classes_that_are_not_shown_count_in_every_sum(self, page_of, show, softmax_cli):
        arguments = [f"c{i}={i / 10}" for i in range(30)]
        page = show(page_of(*arguments))
        told = json.loads(softmax_cli("explain", *arguments, "--json").text)["steps"]
        best = list(told["prob"].values())[-12:]
        assert column(page, "steps", 6) == numbers([*best, 1.0])[:-1]
        assert page.locator("#sum-exp").inner_text() == f"{told['sum']:.4f}"
        assert page.locator("#others td").nth(4).inner_text() == f"{1 - sum(best):.4f}"
        for number in range(12):
            page.locator(f"#z-{number}").fill("-10")
        assert "not shown" in page.locator("#sentence").inner_text()

    def test_dragging_gives_what_the_program_gives_for_the_new_numbers(self, page_of, show, softmax_cli):
        page = show(page_of("2", "1", "0.1"))
        page.locator("#z-1").fill("3.25")
        page.locator("#temperature").fill("0.3")
        temperature = page.locator("#temperature-value").inner_text()
        told = json.loads(softmax_cli("explain", "2", "3.25", "0.1", "-T", temperature, "--json").text)
        assert column(page, "steps", 6) == [f"{p:.4f}" for p in told["steps"]["prob"].values()]
        assert page.locator("tr.best th").inner_text() == "z2"
        page.get_by_role("button", name="start again").click()
        assert column(page, "steps", 6) == ["0.6590", "0.2424", "0.0986"]

    def test_weights_multiply_probabilities(self, page_of, show, softmax_cli):
        page = show(page_of("cat=-1", "dog=-2"))
        page.get_by_label("weight of dog").fill("4")
        told = json.loads(softmax_cli("explain", "cat=-1", "dog=-2", "-w", "dog=4", "--json").text)
        assert column(page, "weights", 5) == ["0.7311", "0.2689"]
        assert column(page, "weights", 6) == [f"{p:.4f}" for p in told["steps"]["prob"].values()]
        assert column(page, "weights", 6) == column(page, "steps", 6) == ["0.4046", "0.5954"]
        assert "log w" in page.locator("#shift-head").inner_text()

    def test_a_prior_is_a_weight(self, page_of, show, softmax_cli):
        page = show(page_of("cat=1", "dog=0.5"))
        page.get_by_label("training rows of cat").fill("90")
        page.get_by_label("training rows of dog").fill("10")
        page.get_by_label("expected rows of dog").fill("3")
        priors = ("--source-prior", "cat=90,dog=10", "--target-prior", "cat=1,dog=3")
        told = json.loads(
            softmax_cli("predict", "-", *priors, "--format", "jsonl", "-q", stdin=b"cat,dog\n1,0.5\n").text
        )
        assert column(page, "weights", 6) == numbers([told["prob_cat"], told["prob_dog"]])

    def test_the_gradient_is_p_less_y(self, page_of, show):
        page = show(page_of("2", "1", "0.1"))
        page.get_by_label("true class").select_option("z2")
        assert page.locator("#gradient tbody td").all_inner_texts() == ["0.6590", "-0.7576", "0.0986"]

    @pytest.mark.parametrize("width", [400, 1280])
    def test_a_narrow_screen_scrolls_tables_only(self, page_of, show, width):
        page = show(page_of(*(f"class{i}={i}" for i in range(12))), width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


class TestReport:
    @pytest.fixture
    def report(self, softmax_cli, table, tmp_path):
        done = softmax_cli("evaluate", table, "--by", "split", "--report", "report.html", "--json")
        assert done.code == 0, done.err
        return tmp_path / "report.html", json.loads(done.text)

    def test_figures_and_classes_are_those_of_the_json(self, report, show):
        path, told = report
        page = show(path)
        assert column(page, "figures", 2) == [f"{one['value']:.4f}" for one in told["figures"].values()]
        assert column(page, "classes", 1) == [one["name"] for one in told["per_class"]]
        assert "<b>nine</b>" in column(page, "classes", 1)

    def test_a_table_sorts_by_number_and_filters(self, report, show):
        page = show(report[0])
        page.locator("#classes").get_by_role("button", name="predicted").click()
        counts = [int(cell) for cell in column(page, "classes", 3)]
        assert counts == sorted(counts)
        page.locator("#classes").get_by_role("button", name="predicted").click()
        assert [int(cell) for cell in column(page, "classes", 3)] == sorted(counts, reverse=True)
        page.locator("#classes-filter").fill("eig")
        assert column(page, "classes", 1) == ["eight"]
        assert page.locator("#classes-count").inner_text() == "1 of 10 rows"

    def test_bins_tell_their_counts_to_mouse_and_keyboard(self, report, show):
        path, told = report
        page = show(path)
        bins = [one for one in told["bins"] if one["rows"]]
        marks = page.locator("#reliability circle")
        assert marks.count() == len(bins)
        marks.nth(1).hover()
        assert f": {bins[1]['rows']:,} rows" in page.locator("#reliability-note").inner_text()
        marks.last.focus()
        assert f"accuracy {bins[-1]['accuracy']:.4f}" in page.locator("#reliability-note").inner_text()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('#confidence') !== null")

    @pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (800, "light"), (1600, "dark")])
    def test_it_fits_the_screen(self, report, show, width, scheme):
        page = show(report[0], width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        headings = page.locator("h1, h2").all_inner_texts()
        assert headings[0].startswith("Evaluation of")
        assert "Commonest confusions" in headings


@pytest.mark.parametrize("command", ["calibrate", "inspect"])
def test_pages_of_other_commands(softmax_cli, table, show, tmp_path, command):
    done = softmax_cli(command, table, "--report", "page.html", "--json", "-q")
    assert done.code == 0, done.err
    page = show(tmp_path / "page.html", 400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator("svg.chart").count() >= 2
    told = json.loads(done.text)
    if command == "calibrate":
        assert page.locator(".tiles strong").first.inner_text() == f"{told['after']['nll']:.4f}"
    else:
        assert column(page, "classes", 2) == [f"{one['predicted']:,}" for one in told["classes"]]


class TestComparison:
    @pytest.fixture
    def compared(self, softmax_cli, table, tmp_path):
        """Compare the digits with themselves at half the temperature, with two classes changed for each other."""
        rows = [line.split(",") for line in table.read_text().splitlines()]
        head = [
            "logit_zero" if name == "logit_one" else "logit_one" if name == "logit_zero" else name for name in rows[0]
        ]
        (tmp_path / "swapped.csv").write_text("\n".join(",".join(row) for row in [head, *rows[1:]]) + "\n")
        done = softmax_cli("compare", table, "swapped.csv", "--report", "page.html", "--json", "-q")
        assert done.code == 0, done.err
        return tmp_path / "page.html", json.loads(done.text)["pairs"][0]

    def test_figures_and_flips_are_those_of_the_json(self, compared, show):
        path, told = compared
        page = show(path)
        figures = dict(zip(column(page, "figures-0", 1), column(page, "figures-0", 2), strict=True))
        assert figures["flips"] == f"{told['figures']['flips']['value']:,}"
        assert figures["accuracy gap"] == f"{told['figures']['accuracy_difference']['value']:+.5f}"
        flips = [(one["first"], one["second"], f"{one['rows']:,}") for one in told["flips_by_class"]]
        assert list(zip(*(column(page, "flips-0", place) for place in (1, 2, 3)), strict=True)) == flips
        assert "<b>nine</b>" in column(page, "classes-0", 1)
        assert len(column(page, "rows", 1)) == told["figures"]["flips"]["value"]

    def test_the_arrow_keys_go_from_mark_to_mark(self, compared, show):
        page = show(compared[0])
        marks = page.locator("#confidence-0 path[tabindex]")
        assert marks.count() > 20
        marks.first.focus()
        page.keyboard.press("ArrowRight")
        assert page.locator("#confidence-0-note").inner_text() == marks.nth(1).get_attribute("aria-label")
        page.keyboard.press("End")
        assert page.locator("#confidence-0-note").inner_text() == marks.last.get_attribute("aria-label")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('#confidence-0') === null")

    @pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1280, "light")])
    def test_it_fits_the_screen(self, compared, show, width, scheme):
        assert show(compared[0], width, scheme).evaluate("document.documentElement.scrollWidth") <= width


PAGES = {
    "evaluate": ("evaluate", "digits.csv", "--by", "split", "--report"),
    "calibrate": ("calibrate", "digits.csv", "--report"),
    "inspect": ("inspect", "digits.csv", "--report"),
    "compare": ("compare", "digits.csv", "digits.csv", "--report"),
    "explain": ("explain", "digits.csv", "--row", "3", "-w", "one=2", "--page"),
}


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1280, "light"), (1280, "dark")])
@pytest.mark.parametrize("command", PAGES)
def test_axe_finds_nothing_against_accessibility(softmax_cli, table, show, tmp_path, command, width, scheme):
    """Headings, labels, contrast, keyboard access, and some 90 more rules of axe-core."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    done = softmax_cli(*PAGES[command], "page.html")
    assert done.code == 0, done.err
    found = axe.run(show(tmp_path / "page.html", width, scheme))
    assert found.response["violations"] == [], found.generate_report()


@pytest.mark.parametrize("command", PAGES)
def test_names_that_are_markup_stay_text(softmax_cli, table, show, tmp_path, command):
    """No element of a name gets into the page; the policy would stop its script besides."""
    path = tmp_path / "digits.csv"
    path.write_text(path.read_text().replace("<b>nine</b>", "<script>alert(1)</script><img src=x>"))
    done = softmax_cli(*PAGES[command], "page.html")
    assert done.code == 0, done.err
    page = show(tmp_path / "page.html")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    if command != "calibrate":
        assert "<script>alert(1)</script><img src=x>" in page.locator("body").inner_text()
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
