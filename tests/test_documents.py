"""README.md and the recipes show what the program does: every command and every snippet in them is run."""

from __future__ import annotations

import doctest
import importlib.util
import io
import json
import re
import types
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


def load_documents() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("documents", ROOT / "tests" / "documents.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


documents = load_documents()
TEXTS = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in documents.DOCUMENTS}

# The rules and boxes are drawn by rich and typer, and older ones draw others.
drawn_alike = pytest.mark.skipif(
    tuple(map(int, version("typer").split(".")[:2])) < (0, 29), reason="texts are as typer 0.29 draws them"
)


SESSIONS = [name for name, text in TEXTS.items() if "```console" in text]


@drawn_alike
@pytest.mark.parametrize(
    "name", [name if name == "README.md" else pytest.param(name, marks=pytest.mark.slow) for name in SESSIONS]
)
def test_sessions_are_what_the_program_prints(name):
    assert documents.renewed(TEXTS[name]) == TEXTS[name], "python tests/documents.py writes them anew"


@drawn_alike
def test_the_check_can_fail():
    session = "```console\n$ softmax-cli --version\nsoftmax-cli 0.0.0\n```"
    assert documents.renewed(session) != session


def test_no_session_shows_an_error_that_was_not_meant():
    """A traceback, or a command that is not there, would be recorded like anything else."""
    shown = "".join(match for text in TEXTS.values() for match in documents.SESSION.findall(text))
    assert "Traceback" not in shown
    assert "not found" not in shown
    errors = [line for line in shown.splitlines() if line.startswith("error:")]
    assert [line.partition(":")[2][:20] for line in errors] == [" --fail-if 'accuracy", " bad.csv:3: column '"]


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "```pycon" in text])
def test_python_sessions(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    for block in re.findall(r"```pycon\n(.*?)```", TEXTS[name], re.DOTALL):
        test = doctest.DocTestParser().get_doctest(block, {}, name, name, 0)
        result = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST).run(test)
        assert result.attempted > 0
        assert result.failed == 0


def test_every_block_is_run_somewhere():
    """A block that no test knows may be wrong for years."""
    known = r"<!-- (ci|pipe|cluster|python): [\w ]+ -->\n|<!-- remote -->\n"
    for name, text in TEXTS.items():
        for before, language in re.findall(r"((?:[^\n]*\n){0,1})^```(\w+)$", text, re.MULTILINE):
            assert language in ("console", "pycon") or re.fullmatch(known, before), (name, before, language)


def test_the_first_screen_sets_up_runs_and_tests():
    first_screen = TEXTS["README.md"].splitlines()[:30]
    assert sum("python3 -m venv .venv && " in line for line in first_screen) == 2


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].encode()) <= 16_384


def test_links_lead_somewhere():
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)#][^)]*)\)", text):
            if "://" not in target:
                assert ((ROOT / name).parent / target.partition("#")[0]).exists(), f"{name}: {target}"


def test_the_picture_is_the_program_s():
    assert documents.PICTURE.read_text("utf-8") == documents.picture(), "python tests/documents.py draws it anew"


SNIPPETS = dict(
    re.findall(r"<!-- python: (\w+) -->\n```python\n(.*?)```", TEXTS["examples/from_your_model.md"], re.DOTALL)
)
LABELS = np.arange(40) % 3
NAMES = ["cat", "dog", "eel"]


@pytest.fixture
def snippet(tmp_path, monkeypatch):
    """Run a snippet after the one that defines `save`, with a model and data of its own."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, **given: object) -> None:
        exec(SNIPPETS["table"], given)
        exec(SNIPPETS[name], given)

    return run


def saved_classes() -> list[str]:
    return [name for name in pd.read_parquet("logits.parquet").columns if name.startswith("logit_")]


def test_scikit_learn(snippet, softmax_cli, tmp_path):
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = np.random.default_rng(0).normal(size=(40, 4)), np.array(NAMES)[LABELS]
    model = linear_model.LogisticRegression().fit(X, y)
    snippet("sklearn", model=model, X=X, y=y)
    done = softmax_cli("predict", "logits.parquet", "-q")
    probabilities = pd.read_csv(io.BytesIO(done.out)).filter(like="prob_").to_numpy()
    np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=1e-8)


def test_pytorch(snippet):
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(4, 3)
    loader = [(torch.ones(20, 4), torch.from_numpy(LABELS[:20])), (torch.ones(20, 4), torch.from_numpy(LABELS[20:]))]
    snippet("torch", torch=torch, model=model, loader=loader, names=NAMES)
    assert saved_classes() == ["logit_cat", "logit_dog", "logit_eel"]


def test_hugging_face(snippet):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=10, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, num_labels=3
    )
    model = transformers.BertForSequenceClassification(config).eval()
    snippet("transformers", torch=torch, model=model, batches=[{"input_ids": torch.ones(2, 5, dtype=torch.long)}])
    assert saved_classes() == ["logit_LABEL_0", "logit_LABEL_1", "logit_LABEL_2"]


def test_onnx_runtime(snippet, tmp_path):
    """The session is asked for one output by name, as ONNX Runtime's `run` takes it."""

    class Session:
        def run(self, outputs, inputs):
            assert outputs == ["logits"]
            assert inputs["x"].dtype == np.float32
            return [inputs["x"] @ np.eye(4, 3, dtype=np.float32)]

    snippet("onnxruntime", session=Session(), X=np.ones((5, 4)), names=NAMES)
    assert saved_classes() == ["logit_cat", "logit_dog", "logit_eel"]


def test_catboost(snippet):
    catboost = pytest.importorskip("catboost")
    X, y = np.random.default_rng(0).normal(size=(40, 4)), np.array(NAMES)[LABELS]
    model = catboost.CatBoostClassifier(iterations=2, verbose=False, allow_writing_files=False).fit(X, y)
    snippet("catboost", model=model, X=X, y=y)
    assert saved_classes() == ["logit_cat", "logit_dog", "logit_eel"]


def test_vllm(snippet, softmax_cli):
    """As vLLM's RequestOutput: for each position a dict from token id to an object with the token and its log p."""

    def output(**log_p: float) -> types.SimpleNamespace:
        tokens = {
            number: types.SimpleNamespace(decoded_token=token, logprob=value)
            for number, (token, value) in enumerate(log_p.items())
        }
        return types.SimpleNamespace(outputs=[types.SimpleNamespace(logprobs=[tokens])])

    snippet("vllm", outputs=[output(yes=-0.1, no=-2.5), output(yes=-0.5)])
    done = softmax_cli("predict", "logprobs.parquet", "-q", "--format", "jsonl", "--only-predictions")
    assert [line["prediction"] for line in map(json.loads, done.text.splitlines())] == ["yes", "yes"]


def test_numpy(snippet, softmax_cli, tmp_path):
    logits = np.random.default_rng(0).normal(size=(40, 3))
    snippet("numpy", np=np, logits=logits, labels=LABELS)
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    done = softmax_cli("evaluate", "val_logits.npy", "--classes", "names.txt", "-q", "--json")
    assert f'"value": {(logits.argmax(axis=1) == LABELS).mean()}' in done.text
