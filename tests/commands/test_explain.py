"""``softmax-cli explain`` as a user runs it."""

import json

import numpy as np
import pytest
from scipy.special import softmax

TABLE = "id,cat,dog,cow,label\na,2,1,-1,cat\nb,0.5,0.25,3,dog\nc,nan,1,2,cow\nb,1,1,1,cow\n"
TOPICS = ["imbalance", "temperature"]


def told(done):
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.fixture
def table(tmp_path):
    (tmp_path / "logits.csv").write_text(TABLE)
    return "logits.csv"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("2.0", "1.0", "0.1"), softmax([2, 1, 0.1])),
        (("2.0,1.0,0.1",), softmax([2, 1, 0.1])),
        (("-1", "-2"), softmax([-1, -2])),
        (("-1e-5", "-.5", "-inf"), softmax([-1e-5, -0.5, -np.inf])),
        (("-1", "-2", "-w", "z2=4"), softmax(np.log([1, 4]) - [1, 2])),
        (("-1", "-2", "--class-weights", "z2=4"), [0.404609, 0.595391]),
        (("2", "1", "-1", "-w", "z2=4", "-T", "2"), [0.274029, 0.664827, 0.061144]),
        (("-T", "0.5", "--", "-1", "-2"), softmax([-2, -4])),
        (("3",), softmax([0, 3])),
    ],
)
def test_scores_as_typed(softmax_cli, arguments, expected):
    steps = told(softmax_cli("explain", "--json", *arguments))["steps"]
    np.testing.assert_allclose(list(steps["prob"].values()), expected, atol=1e-6)


def test_named_scores(softmax_cli):
    found = told(softmax_cli("explain", "cat=2", "dog=-1", "--json"))
    assert found["steps"]["scores"] == {"cat": 2, "dog": -1}
    assert found["prediction"] == "cat"


@pytest.mark.parametrize(("arguments", "row"), [((), 0), (("--row", "2"), 1), (("--id", "b"), 1), (("--id", "a"), 0)])
def test_one_row_of_a_table(softmax_cli, table, arguments, row):
    found = told(softmax_cli("explain", table, "--json", *arguments))
    z = [[2, 1, -1], [0.5, 0.25, 3]][row]
    np.testing.assert_allclose(list(found["steps"]["prob"].values()), softmax(z), rtol=1e-12)
    assert found["where"] == f"logits.csv:{row + 2}"
    assert found["truth"] == ["cat", "dog"][row]


def test_a_row_of_a_pipe(softmax_cli):
    found = told(softmax_cli("explain", "-", "--row", "2", "--json", stdin=TABLE.encode()))
    assert found["where"] == "stdin:3"


def test_the_row_is_that_of_predict(softmax_cli, real_data):
    path = real_data("digits/digits_mlp_logits.parquet")
    found = told(softmax_cli("explain", path, "--row", "17", "--json"))
    line = softmax_cli("predict", path, "--limit", "17", "--digits", "17").text.splitlines()[17].split(",")
    prob = list(found["steps"]["prob"].values())
    np.testing.assert_allclose(prob, np.array(line[-10:], float), rtol=1e-5)  # the file holds float32
    assert found["prediction"] == line[-12]


def test_the_screen_tells_the_steps_in_order(softmax_cli):
    text = softmax_cli("explain", "2.0", "1.0", "0.1", "-T", "2", "-w", "z3=4", "--full", env={"COLUMNS": "80"}).text
    places = [text.index(word) for word in ("1 score", "2 z/T", "3 + log w", "4 - max", "5 exp", "6 p")]
    assert sorted(places) == places
    for word in ("What the temperature does", "Jacobian", "sparsemax", "z / sum z", "entropy", "without `z3`"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_screen_shows_the_naive_form_fail(softmax_cli):
    done = softmax_cli("explain", "1000", "999", "--full")
    section = done.text.partition("changes nothing")[2].partition("What the temperature")[0]
    assert section.splitlines()[3].split() == ["z1", "inf", "nan", "1.0000", "0.7311", "inf", "nan"]
    assert "the plain formula fails" in " ".join(section.split())


@pytest.mark.parametrize("width", ["40", "80", "200"])
@pytest.mark.parametrize("what", [("2", "-1", "0.5"), *[(topic,) for topic in TOPICS]])
def test_it_fits_every_terminal_and_ascii(softmax_cli, what, width):
    done = softmax_cli("explain", *what, "--full", env={"COLUMNS": width, "PYTHONIOENCODING": "ascii", "TERM": "dumb"})
    assert done.code == 0, done.err
    assert done.text.isascii()
    limit = int(width)
    wide = [
        line for line in done.text.splitlines() if len(line.rstrip()) > limit and not line.startswith("  softmax-cli")
    ]
    assert wide == []


def test_many_classes_show_the_best(softmax_cli, real_data):
    done = softmax_cli(
        "explain", real_data("magika_filetypes/magika_logits.parquet"), "--row", "17", "--full", env={"COLUMNS": "80"}
    )
    assert done.code == 0, done.err
    assert "206 more classes" in done.text
    assert max(map(len, done.text.splitlines()[2:])) <= 80
    assert len(done.text.splitlines()) < 90


def test_names_are_data(softmax_cli):
    done = softmax_cli("explain", "[red]=1", "a\x1b[31mb=2")
    assert "[red]" in done.text
    assert "\x1b" not in done.text


@pytest.mark.parametrize("topic", TOPICS)
def test_topics(softmax_cli, topic):
    assert "softmax-cli explain" in softmax_cli("explain", topic).text
    assert told(softmax_cli("explain", topic, "--json"))["title"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "explain 2.0 1.0 0.1"),
        (("1", "2", "--tempe", "3"), 2, "--tempe: no such option"),
        (("nonsense",), 2, "imbalance, temperature"),
        (("1", "x"), 2, "neither scores"),
        (("1", "nan"), 2, "finite scores"),
        (("-inf", "-inf"), 2, "not every one"),
        (("a=1", "a=2"), 2, "same name"),
        (("1", "2", "-T", "0"), 2, "above 0"),
        (("1", "2", "-w", "cat=2"), 2, "the classes are: z1, z2"),
        (("none.csv", "--row", "1"), 2, "no such file"),
        (("logits.csv", "--row", "9"), 1, "there are 4 rows"),
        (("logits.csv", "--row", "3"), 1, "logits.csv:4: column 'cat'"),
        (("logits.csv", "--id", "z"), 1, "no row has the id 'z'"),
        (("logits.csv", "--id", "z", "--row", "1"), 2, "exclude"),
    ],
)
def test_what_cannot_be_explained_is_said_in_one_message(softmax_cli, table, arguments, code, words):
    done = softmax_cli("explain", *arguments)
    assert (done.code, done.out) == (code, b""), done.err
    assert words in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("what", "most"),
    [(("2.0", "1.0", "0.1"), 24), (("2", "1", "0.1", "-T", "2", "-w", "z3=4"), 28), ([str(i) for i in range(9)], 30)],
)
def test_without_full_it_is_short(softmax_cli, what, most):
    lines = softmax_cli("explain", *what, env={"COLUMNS": "80"}).text.splitlines()
    assert len(lines) <= most
    assert "--full" in " ".join(lines)


def test_tables_to_be_pasted(softmax_cli):
    done = softmax_cli("explain", "cat|x=2", "dog=1", "--format", "markdown")
    assert done.code == 0, done.err
    assert "| cat\\|x | 2 | 0 | 1.0000 | 0.7311 |" in done.text
    assert "\\subsection*{All scans}" in softmax_cli("explain", "imbalance", "--format", "latex").text
    refused = softmax_cli("explain", "2", "1", "--format", "csv")
    assert (refused.code, "choose one of html, latex, markdown" in refused.err) == (2, True)
