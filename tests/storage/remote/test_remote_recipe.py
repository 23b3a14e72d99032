"""The recipe for object storage runs as it stands, against a server of this machine."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_recipe_runs(program_env, bucket, tmp_path):
    page = (ROOT / "examples" / "files_and_pipes.md").read_text("utf-8")
    (recipe,) = re.findall(r"<!-- remote -->\n```sh\n(.*?)```", page, re.DOTALL)
    bucket.put("logits/a.parquet", (ROOT / "examples" / "digits.parquet").read_bytes())
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe.replace("s3://bucket/", bucket.url(""))],
        cwd=tmp_path,
        env=program_env | dict(bucket.env),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "probs.parquet" in set(bucket.keys())
    assert (tmp_path / "probs.csv").read_text().count("\n") == 601
