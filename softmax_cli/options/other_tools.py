"""Names from other tools: taken where there is such an option here, answered where there is another way."""

from __future__ import annotations

OTHER_SPELLINGS = {
    "--top-k": ("--topk",),
    "--temperature": ("--temp", "--tau"),
    "--batch-rows": ("--batch-size", "--per-device-eval-batch-size"),
    "--threads": ("--workers", "--num-workers", "--jobs", "--n-jobs", "--num-threads"),
    "--classes": ("--id2label", "--class-names", "--class-map"),
    "--label": ("--label-col", "--label-column", "--label-column-name", "--target-column"),
    "--id": ("--filename-col", "--id-col", "--index-col"),
    "--positive": ("--pos-label", "--positive-class"),
    "--delimiter": ("--sep", "--separator"),
    "--no-header": ("--no-header-row",),
    "-o": ("--output", "--out", "--out-file", "--output-dir", "--results-file"),
    "--format": ("--output-format", "--results-format"),
    "--emit": ("--output-type",),
    "--activation": ("--function-to-apply",),
    "--only-predictions": ("--exclude-output",),
    "--bins": ("--n-bins", "--num-bins"),
    "--seed": ("--random-state",),
    "--folds": ("--cv", "--n-splits"),
    "--class-weights": ("--class-weight",),
    "--sort": ("--sort-by", "--order-by"),
    "--limit": ("--nrows", "--head"),
    "--decimals": ("--round",),
    "--digits": ("--precision",),
    "--force": ("--overwrite",),
    "--quiet": ("--silent", "--no-progress"),
}
"""Options of this program, with their names in timm, Hugging Face, scikit-learn, pandas and common Unix tools."""
_OURS = {theirs: ours for ours, spellings in OTHER_SPELLINGS.items() for theirs in spellings}
_LEAVE_OUT = "a class is left out by the weight 0: -w CLASS=0"
_SETTINGS = "options stand in a softmax-cli.toml beside the data, or in variables such as SOFTMAX_CLI_TEMPERATURE"
_BAR = "a terminal shows how far a long run is by itself; --quiet leaves it out"
ANSWERS = {
    **dict.fromkeys(("--ignore", "--ignore-class", "--exclude", "--exclude-class", "--mask", "--drop"), _LEAVE_OUT),
    "--ignore-index": "truths of -100 are missing ones: --on-bad-row skip passes over them, or null keeps their rows",
    **dict.fromkeys(("--config", "--config-file"), _SETTINGS),
    **dict.fromkeys(("--progress", "--progress-bar"), _BAR),
    **dict.fromkeys(
        ("--verbose", "--debug"), "--dry-run shows every step, softmax-cli --version --verbose the libraries"
    ),
    "--softmax": "predict takes the softmax by itself; for scores that are probabilities say --input prob",
    "--device": "all is computed on the CPU",
    "completion": "softmax-cli --install-completion sets up bash, zsh or fish, --show-completion prints the script",
    "man": "softmax-cli help --man COMMAND | man -l -",
    "version": "softmax-cli --version",
}
"""What people look for under a name that is no option or command here, and how it is had."""


def respelled(typed: str, known: set[str]) -> str:
    """Return an option by the name that a command knows it by; what is none, or is known, as it was typed."""
    name, equals, value = typed.partition("=")
    if not name.startswith("--") or name in known:
        return typed
    dashed = name.replace("_", "-")
    ours = dashed if dashed in known else _OURS.get(dashed)
    if ours not in known or (equals and not ours.startswith("--")):
        return typed
    return f"{ours}{equals}{value}"
