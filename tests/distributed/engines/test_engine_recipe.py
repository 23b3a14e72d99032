"""The recipe for an engine runs as it stands, on an engine of this machine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RECIPES = dict(
    re.findall(
        r"<!-- engine: (\w+) -->\n```sh\n(.*?)```", (ROOT / "examples" / "clusters.md").read_text("utf-8"), re.DOTALL
    )
)


@pytest.mark.engine
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_makes_the_bytes_of_a_single_process(name, softmax_cli, program_env, tmp_path):
    pytest.importorskip(name)
    (tmp_path / "logits").mkdir()
    shutil.copy(ROOT / "examples" / "digits.parquet", tmp_path / "logits" / "a.parquet")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", RECIPES[name]],
        cwd=tmp_path,
        env=program_env,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert softmax_cli("predict", "logits/a.parquet", "-o", "one.parquet").code == 0
    part = tmp_path / f"probs_{name}" / "part-00000.parquet"
    assert part.read_bytes() == (tmp_path / "one.parquet").read_bytes()
