"""Each job after the logits reads and writes every format, and says the same in all of them."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 24
CLASSES = ["cat", "dog", "cow"]
COSTS = "truth,cat,dog,cow,ask\ncat,0,1,1,0.3\ndog,1,0,1,0.3\ncow,5,5,0,0.3\n"


@pytest.fixture
def tables(tmp_path):
    """Write tables a and b of the same rows, and long.EXT with a row for each class, in every format that is read."""
    (tmp_path / "costs.csv").write_text(COSTS)
    for seed, name in enumerate("ab"):
        z = np.random.default_rng(seed).integers(-50, 50, size=(ROWS, 3)) / 8
        frame = pd.DataFrame(z, columns=[f"logit_{name}" for name in CLASSES])
        frame.insert(0, "id", [f"r{row}" for row in range(ROWS)])
        frame["label"] = [CLASSES[row % 3] for row in range(ROWS)]
        frame["query"] = [f"q{row // 4}" for row in range(ROWS)]
        _save(frame, tmp_path / name)
        np.savez(
            tmp_path / f"{name}.npz",
            logits=z,
            classes=np.array(CLASSES),
            **{other: frame[other].to_numpy(str) for other in ("id", "label", "query")},
        )
        long = frame.melt(["id"], [f"logit_{name}" for name in CLASSES], "class", "score")
        _save(long.assign(**{"class": long["class"].str.removeprefix("logit_")}), tmp_path / "long")


def _save(frame, path):
    frame.to_csv(f"{path}.csv", index=False)
    frame.to_csv(f"{path}.csv.gz", index=False)
    frame.to_csv(f"{path}.tsv", index=False, sep="\t")
    frame.to_parquet(f"{path}.parquet", index=False)
    frame.to_json(f"{path}.jsonl", orient="records", lines=True)
    frame.to_json(f"{path}.json", orient="records")
    given = pa.Table.from_pandas(frame, preserve_index=False)
    for suffix, kind in (("arrow", pa.ipc.new_file), ("arrows", pa.ipc.new_stream)):
        with pa.OSFile(f"{path}.{suffix}", "wb") as file, kind(file, given.schema) as writer:
            writer.write_table(given)


JOBS = {
    "sample": "sample a.EXT -n 2 --seed 7 --epsilon 0.1",
    "ensemble": "ensemble a.EXT b.EXT",
    "group": "predict a.EXT --group query --logits logit_cat",
    "long": "predict long.EXT --long id,class,score",
    "pooled": "predict a.EXT --pool-by query",
    "costs": "predict a.EXT --costs costs.csv",
    "sorted": "predict a.EXT --sort -entropy --add entropy,true_prob,correct",
}
READ = ("csv.gz", "tsv", "parquet", "arrow", "arrows", "jsonl", "json", "npz")
WRITTEN = ("tsv", "csv.xz", "parquet", "arrow", "arrows", "jsonl", "json", "npz")


def run(softmax_cli, job, suffix, *more):
    done = softmax_cli(*job.replace("EXT", suffix).split(), "-q", *more)
    assert done.code == 0, done.err
    return done.text


@pytest.mark.parametrize("name", JOBS)
def test_every_format_is_read_alike(softmax_cli, tables, name):
    wanted = pd.read_csv(io.StringIO(run(softmax_cli, JOBS[name], "csv")))
    for suffix in READ:
        if suffix == "npz" and name in ("group", "long"):  # an archive holds rows of scores, not a score a row
            continue
        found = pd.read_csv(io.StringIO(run(softmax_cli, JOBS[name], suffix)))
        assert set(found.columns) == set(wanted.columns), suffix
        pd.testing.assert_frame_equal(found[wanted.columns], wanted, obj=suffix)


@pytest.mark.parametrize("name", JOBS)
def test_every_format_is_written_alike(softmax_cli, tables, tmp_path, name):
    run(softmax_cli, JOBS[name], "parquet", "-o", "out.csv", "--digits", "17")
    wanted = pd.read_csv(tmp_path / "out.csv")
    for suffix in WRITTEN:
        run(softmax_cli, JOBS[name], "parquet", "-o", f"out.{suffix}", "--digits", "17")
        found = _read(tmp_path / f"out.{suffix}", [one for one in wanted.columns if one.startswith("prob_")])
        pd.testing.assert_frame_equal(found[wanted.columns], wanted, check_dtype=False, obj=suffix)


def _read(path, of_classes):
    if path.name.endswith((".csv.xz", ".tsv")):
        return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",")
    if path.suffix in (".json", ".jsonl"):
        return pd.read_json(path, lines=path.suffix == ".jsonl", precise_float=True)
    if path.suffix == ".parquet":
        return _plain(pq.read_table(path))
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            held = {name: arrays[name] for name in arrays.files if name != "classes"}
            if of_classes:
                assert arrays["classes"].tolist() == [name.removeprefix("prob_") for name in of_classes]
                held |= dict(zip(of_classes, held.pop("prob").T, strict=True))
            return pd.DataFrame(held)
    opened = (pa.ipc.open_file if path.suffix == ".arrow" else pa.ipc.open_stream)(pa.OSFile(str(path)))
    return _plain(opened.read_all())


def _plain(read):
    columns = [one.cast(pa.string()) if pa.types.is_dictionary(one.type) else one for one in read.columns]
    return pa.table(columns, names=read.column_names).to_pandas()


def test_a_comparison_says_the_same_of_every_format(softmax_cli, tables, tmp_path):
    compare = "compare a.EXT b.EXT --bootstrap 0 --json --force --flips-out "
    figures = {
        suffix: json.loads(run(softmax_cli, compare + "f.csv", suffix))["pairs"][0]["figures"]
        for suffix in ("csv", *READ)
    }
    assert all(one == figures["csv"] for one in figures.values())
    wanted = pd.read_csv(tmp_path / "f.csv")
    assert len(wanted) == figures["csv"]["flips"]["value"] > 0
    for suffix in WRITTEN:
        run(softmax_cli, f"{compare}f.{suffix}", "parquet")
        pd.testing.assert_frame_equal(_read(tmp_path / f"f.{suffix}", []), wanted, check_dtype=False, obj=suffix)


@pytest.mark.parametrize("job", ["sample a.csv", "predict a.csv --group query --logits logit_cat"])
def test_one_array_has_no_place_for_rows_without_a_score_for_each_class(softmax_cli, tables, tmp_path, job):
    done = softmax_cli(*job.split(), "-o", "out.npy")
    assert done.code == 2
    assert "a .npy file holds one matrix of scores" in done.err
    assert "write .npz, .csv or .parquet" in done.err
    assert not (tmp_path / "out.npy").exists()


def test_a_listing_does_not_fit_an_array_file(softmax_cli, tables):
    done = softmax_cli("predict", "a.csv", "--top-k", "2", "-o", "out.npz")
    assert (done.code, "--top-k lists the best classes" in done.err) == (2, True)
    assert (
        softmax_cli("predict", "a.csv", *["--group", "query", "--logits", "logit_cat", "-k", "1", "-o", "out.npz"]).code
        == 0
    )
