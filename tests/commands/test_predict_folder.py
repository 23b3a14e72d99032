"""A folder of parts as the result: each part as the file alone would give it, all of them or visibly not all."""

import io
import json
import os
import resource
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FILES = 20


def table(seed, rows=200, dtype=np.float32):
    drawn = np.random.default_rng(seed).normal(size=(rows, 4), scale=4).astype(dtype)
    return pd.DataFrame(
        {"id": [f"{seed:02d}-{row}" for row in range(rows)]}
        | {f"logit_{name}": drawn[:, i] for i, name in enumerate(["cat", "dog", "cow", "owl"])}
    )


@pytest.fixture
def inputs(tmp_path):
    """20 Parquet files in a folder."""
    (tmp_path / "logits").mkdir()
    for seed in range(FILES):
        pq.write_table(pa.Table.from_pandas(table(seed), preserve_index=False), tmp_path / f"logits/{seed:02d}.parquet")
    return tmp_path / "logits"


@pytest.fixture
def start(program, program_env, tmp_path):
    """Start the program without waiting for it."""

    def run(*arguments, **options):
        return subprocess.Popen(
            [program, *arguments], cwd=tmp_path, env=program_env, stderr=subprocess.PIPE, text=True, **options
        )

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fails(done, code, *parts):
    assert done.code == code, done.err
    message = " ".join(done.err.split())
    assert message.count("error: ") == 1
    for part in parts:
        assert part in message


class TestParts:
    def test_each_is_what_its_file_alone_gives_to_the_last_byte(self, softmax_cli, inputs, tmp_path):
        done = softmax_cli("predict", "logits/*.parquet", "-T", "1.5", "-o", "probs/")
        assert done.code == 0, done.err
        assert "4 classes: cat dog cow owl; id: id; 4,000 rows in 20 parts" in done.err
        assert done.out == b""
        assert names(tmp_path / "probs") == [
            "_SUCCESS",
            "_manifest.json",
            *(f"part-{i:05d}.parquet" for i in range(FILES)),
        ]
        for seed in (0, 7, 19):
            softmax_cli("predict", f"logits/{seed:02d}.parquet", "-T", "1.5", "-o", f"alone{seed}.parquet")
            alone = (tmp_path / f"alone{seed}.parquet").read_bytes()
            assert (tmp_path / f"probs/part-{seed:05d}.parquet").read_bytes() == alone

    def test_read_back_they_are_the_rows_of_one_file_in_order(self, softmax_cli, inputs):
        softmax_cli("predict", "logits/*.parquet", "-o", "probs/")
        back = softmax_cli("predict", "probs/", "--only-predictions")
        one = softmax_cli("predict", "logits/", "--only-predictions")
        assert back.code == one.code == 0, back.err
        back, one = (pd.read_csv(io.BytesIO(done.out)) for done in (back, one))
        assert back["id"].tolist() == one["id"].tolist() == [f"{f:02d}-{r}" for f in range(FILES) for r in range(200)]
        assert back["prediction"].tolist() == one["prediction"].tolist()

    def test_the_manifest_says_what_is_there(self, softmax_cli, inputs, tmp_path):
        from hashlib import sha256

        softmax_cli("predict", "logits/*.parquet", "-T", "2", "-o", "probs")
        assert not (tmp_path / "probs").exists(), "without a slash, probs is a file whose name tells no format"
        softmax_cli("predict", "logits/*.parquet", "-T", "2", "-o", "probs/")
        manifest = json.loads((tmp_path / "probs/_manifest.json").read_text())
        assert manifest["rows"] == manifest["rows_read"] == 4000
        assert manifest["scored"]["operations"][1:] == ["z / 2  (--temperature)", "softmax"]
        assert manifest["versions"].keys() == {"softmax_cli", "python", "numpy", "pyarrow"}
        assert [part["source"] for part in manifest["parts"]] == [f"logits/{i:02d}.parquet" for i in range(FILES)]
        for part in manifest["parts"]:
            data = (tmp_path / "probs" / part["name"]).read_bytes()
            assert (part["bytes"], part["sha256"], part["rows"]) == (len(data), sha256(data).hexdigest(), 200)

    @pytest.mark.parametrize(
        ("suffix", "options", "part"),
        [
            ("csv", [], "csv"),
            ("tsv", [], "tsv"),
            ("jsonl", [], "jsonl"),
            ("npy", [], "npy"),
            ("csv.gz", [], "csv"),
            ("csv", ["--format", "parquet"], "parquet"),
            ("data", ["--input-format", "csv"], "csv"),
        ],
    )
    def test_have_the_format_of_the_input_unless_said(self, softmax_cli, tmp_path, suffix, options, part):
        (tmp_path / "in").mkdir()
        for seed in range(3):
            frame, path = table(seed, 50), tmp_path / f"in/{seed}.{suffix}"
            if suffix == "npy":
                np.save(path, frame.drop(columns="id").to_numpy())
            elif suffix == "jsonl":
                frame.to_json(path, orient="records", lines=True)
            else:
                frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
        done = softmax_cli("predict", f"in/*.{suffix}", "-o", "probs/", *options)
        assert done.code == 0, done.err
        for seed in range(3):
            softmax_cli("predict", f"in/{seed}.{suffix}", "-o", f"alone{seed}.{part}", *options)
            alone = (tmp_path / f"alone{seed}.{part}").read_bytes()
            assert (tmp_path / f"probs/part-{seed:05d}.{part}").read_bytes() == alone

    @pytest.mark.parametrize("flag", [["--engine", "local"], ["--resume"]])
    def test_an_option_for_folders_needs_no_slash(self, softmax_cli, inputs, tmp_path, flag):
        done = softmax_cli("predict", "logits/", "-o", "probs", *flag)
        assert done.code == 0, done.err
        assert len(list(tmp_path.glob("probs/part-*.parquet"))) == FILES
        assert (tmp_path / "probs/_SUCCESS").exists()

    def test_columns_in_another_order_follow_the_first_file(self, softmax_cli, inputs, tmp_path):
        turned = pq.read_table(inputs / "03.parquet").select(["logit_owl", "logit_cat", "id", "logit_dog", "logit_cow"])
        pq.write_table(turned, inputs / "03.parquet")
        softmax_cli("predict", "logits/", "-o", "one.parquet")
        softmax_cli("predict", "logits/", "-o", "probs/")
        parts = [pq.read_table(path) for path in sorted((tmp_path / "probs").glob("part-*"))]
        assert pa.concat_tables(parts).equals(pq.read_table(tmp_path / "one.parquet"))

    def test_where_and_the_double_softmax_warning_are_as_ever(self, softmax_cli, tmp_path):
        (tmp_path / "in").mkdir()
        for seed in range(2):
            lines = "".join(f"{split},0.5,0.25,0.25\n" for split in ("val", "test") * (seed + 1))
            (tmp_path / f"in/{seed}.csv").write_text("split,a,b,c\n" + lines)
        done = softmax_cli("predict", "in/", "-o", "probs/", "--where", "split=val")
        assert "the values of all rows lie in [0, 1] and sum to 1" in " ".join(done.err.split())
        assert "3 rows in 2 parts" in done.err
        assert (tmp_path / "probs/part-00001.csv").read_text().count("val") == 2

    def test_a_dry_run_tells_the_units_and_makes_nothing(self, softmax_cli, inputs, tmp_path):
        done = softmax_cli("predict", "logits/", "-o", "probs/", "--dry-run")
        assert "writes   parquet to probs/: id," in done.text
        assert "units    20: 20 of a whole file; 1 at once" in done.text
        assert names(tmp_path) == ["logits"]

    @pytest.mark.slow
    def test_a_large_file_is_cut_into_runs_of_its_row_groups(self, softmax_cli, tmp_path):
        """2 million rows of 10 classes: 80 MB, cut at 64 MB; processes side by side, equal to one stream."""
        z = np.random.default_rng(0).normal(size=(10, 2_000_000)).astype(np.float32)
        large = pa.table({f"logit_{i}": column for i, column in enumerate(z)})
        pq.write_table(large, tmp_path / "large.parquet", row_group_size=200_000, compression="none")
        dry = softmax_cli("predict", "large.parquet", "-o", "probs/", "--dry-run")
        assert "units    2: 2 of row groups of a large file; 1 at once" in dry.text
        assert softmax_cli("predict", "large.parquet", "-o", "probs/").code == 0
        assert softmax_cli("predict", "large.parquet", "-o", "one.parquet").code == 0
        parts = [pq.read_table(path) for path in sorted((tmp_path / "probs").glob("part-*"))]
        assert len(parts) == 2
        assert pa.concat_tables(parts).equals(pq.read_table(tmp_path / "one.parquet"))


class TestRefusals:
    def test_a_folder_that_holds_something(self, softmax_cli, inputs, tmp_path):
        softmax_cli("predict", "logits/", "-o", "probs/")
        before = {path.name: path.read_bytes() for path in (tmp_path / "probs").iterdir()}
        fails(softmax_cli("predict", "logits/", "-o", "probs/", "-T", "2"), 2, "the parts of a finished run", "--force")
        fails(softmax_cli("predict", "logits/", "-o", "probs/", "-T", "2", "--resume"), 2, "z / 2", "--force")
        assert {path.name: path.read_bytes() for path in (tmp_path / "probs").iterdir()} == before
        assert softmax_cli("predict", "logits/0*.parquet", "-o", "probs/", "-T", "2", "--force").code == 0
        assert names(tmp_path / "probs") == [
            "_SUCCESS",
            "_manifest.json",
            *(f"part-{i:05d}.parquet" for i in range(10)),
        ]

    def test_a_folder_with_files_of_others_even_by_force(self, softmax_cli, inputs, tmp_path):
        (tmp_path / "home").mkdir()
        (tmp_path / "home/thesis.tex").write_text("all my work")
        for more in ([], ["--force"], ["--resume"]):
            fails(softmax_cli("predict", "logits/", "-o", "home", *more), 2, "holds thesis.tex", "name another folder")
        assert names(tmp_path / "home") == ["thesis.tex"]

    def test_the_input_as_the_output(self, softmax_cli, inputs, tmp_path):
        softmax_cli("predict", "logits/", "-o", "probs/")
        before = names(tmp_path / "probs")
        fails(
            softmax_cli("predict", "probs/", "-o", "probs/", "--force"), 2, "holds the input probs/part-00000.parquet"
        )
        assert names(tmp_path / "probs") == before

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["-o", "probs/", "--limit", "5"], "--limit counts rows of one stream"),
            (["-o", "probs/", "--format", "table"], "--format table is for the screen"),
            (["-o", "probs/", "--resume", "--force"], "choose one"),
            (["-o", "probs.csv", "--engine", "local"], "is for a folder of parts: name one, such as -o probs/"),
            (["-o", "probs.csv", "--resume"], "--resume is for a folder of parts"),
            (["-o", "probs.md", "--engine", "local"], "is for a folder of parts: name one, such as -o probs/"),
            (["-o", "probs.tex.gz", "--resume"], "--resume is for a folder of parts"),
            (["--engine", "local"], "name one, such as -o probs/"),
            (["-o", "probs/", "--engine", "flink"], "no engine is called 'flink'; there are: dask, local, ray, spark"),
            (["-o", "no/where/probs/"], "mkdir -p no/where"),
            (["-o", "logits/00.parquet/"], "is a file"),
            (["-o", "https://there/probs", "--engine", "local"], "https://there/probs: a web server is only read from"),
        ],
    )
    def test_what_does_not_go_with_a_folder(self, softmax_cli, inputs, tmp_path, arguments, told):
        fails(softmax_cli("predict", "logits/", *arguments), 2, told)
        assert names(tmp_path) == ["logits"]

    def test_standard_input(self, softmax_cli, tmp_path):
        done = softmax_cli("predict", "-", "-o", "probs/", "--format", "csv", stdin=b"a,b\n1,2\n")
        fails(done, 2, "standard input is a stream", "save it to a file")
        assert names(tmp_path) == []


class TestFaults:
    def test_a_bad_row_stops_with_its_place_and_leaves_nothing_finished(self, softmax_cli, inputs, tmp_path):
        self.spoil(inputs / "13.parquet", 150)
        done = softmax_cli("predict", "logits/", "-o", "probs/")
        fails(done, 1, "logits/13.parquet: row 151: column 'logit_dog'", "--on-bad-row skip")
        assert names(tmp_path / "probs") == ["_unfinished"]
        fails(softmax_cli("predict", "probs/"), 2, "a folder without tables")

    def test_where_nothing_was_done_nothing_is_left(self, softmax_cli, inputs, tmp_path):
        self.spoil(inputs / "00.parquet", 0)
        fails(softmax_cli("predict", "logits/", "-o", "probs/", "--threads", "1"), 1, "logits/00.parquet: row 1")
        assert names(tmp_path) == ["logits"]

    def test_a_file_with_other_columns_is_named(self, softmax_cli, inputs, tmp_path):
        frame = table(0).rename(columns={"logit_owl": "logit_yak"})
        pq.write_table(pa.Table.from_pandas(frame), inputs / "05.parquet")
        done = softmax_cli("predict", "logits/", "-o", "probs/")
        fails(done, 1, "logits/05.parquet has no column 'logit_owl' and has 'logit_yak' besides", "logits/00.parquet")
        assert "_SUCCESS" not in names(tmp_path / "probs")

    @pytest.mark.parametrize("policy", ["skip", "null"])
    def test_rejects_are_those_of_one_stream_in_its_order(self, softmax_cli, inputs, tmp_path, policy):
        for seed in (3, 11, 17):
            self.spoil(inputs / f"{seed:02d}.parquet", 150, 20)
        rest = ("--on-bad-row", policy, "--rejects")
        parts = softmax_cli("predict", "logits/", "-o", "probs/", *rest, "parts.csv")
        one = softmax_cli("predict", "logits/", "-o", "one.parquet", *rest, "one.csv")
        assert parts.code == one.code == 0, parts.err
        assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()
        assert pd.read_csv(tmp_path / "one.csv")["where"].tolist() == [
            f"logits/{seed:02d}.parquet: row {row}" for seed in (3, 11, 17) for row in (21, 151)
        ]
        assert "6 bad rows" in parts.err
        read = [pq.read_table(path) for path in sorted((tmp_path / "probs").glob("part-*"))]
        assert pa.concat_tables(read).equals(pq.read_table(tmp_path / "one.parquet"))
        again = softmax_cli("predict", "logits/", "-o", "probs/", *rest, "parts.csv", "--resume")
        assert again.code == 0, again.err
        assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()

    def test_a_full_disk(self, start, inputs, tmp_path):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

        process = start("predict", "logits/", "-o", "probs/", preexec_fn=limit)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1, err
        assert "File too large" in err
        assert "Traceback" not in err
        assert not (tmp_path / "probs").exists() or "_SUCCESS" not in names(tmp_path / "probs")

    @staticmethod
    def spoil(path, *rows):
        frame = pq.read_table(path).to_pandas()
        frame.loc[list(rows), "logit_dog"] = np.nan
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)


@pytest.mark.slow
class TestCutShort:
    @pytest.fixture
    def slow(self, tmp_path):
        """20 CSV files that take a while together."""
        (tmp_path / "slow").mkdir()
        lines = "".join(f"r{i},{i % 7 - 3}.5,{i % 5},{i % 11}\n" for i in range(40_000))
        for seed in range(FILES):
            (tmp_path / f"slow/{seed:02d}.csv").write_text("id,a,b,c\n" + lines)
        return tmp_path / "slow"

    def cut(self, start, tmp_path, number):
        process = start("predict", "slow/", "-o", "probs/", "--threads", "1")
        deadline = time.monotonic() + 60
        while len(self.done(tmp_path)) < 4 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        return process.returncode

    def done(self, tmp_path):
        return {path.name: path.stat() for path in tmp_path.glob("probs/_unfinished/*.done")}

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_only_what_is_missing_is_done_by_the_next_run(self, softmax_cli, start, slow, tmp_path, number, code):
        assert self.cut(start, tmp_path, number) == code
        assert names(tmp_path / "probs") == ["_unfinished"]
        done = {name.removesuffix(".done") for name in self.done(tmp_path)}
        assert 4 <= len(done) < FILES
        before = {name: (tmp_path / "probs/_unfinished" / name).stat() for name in done}
        fails(softmax_cli("predict", "slow/", "-o", "probs/"), 2, "an unfinished run; go on with --resume", "--force")
        resumed = softmax_cli("predict", "slow/", "-o", "probs/", "--resume")
        assert resumed.code == 0, resumed.err
        assert "800,000 rows in 20 parts" in resumed.err
        after = {path.name: path.stat() for path in (tmp_path / "probs").iterdir()}
        assert sorted(after) == ["_SUCCESS", "_manifest.json", *(f"part-{i:05d}.csv" for i in range(FILES))]
        for name, was in before.items():
            assert (after[name].st_ino, after[name].st_mtime_ns) == (was.st_ino, was.st_mtime_ns)
        assert softmax_cli("predict", "slow/", "-o", "whole/").code == 0
        for name in after:
            if name.startswith("part-"):
                assert (tmp_path / "probs" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    def test_another_job_is_told_from_this_one(self, softmax_cli, start, slow, tmp_path):
        self.cut(start, tmp_path, signal.SIGKILL)
        done = softmax_cli("predict", "slow/", "-o", "probs/", "--resume", "-w", "a=2")
        fails(done, 2, "raises a (x2)", "start anew with --force")
        os.utime(slow / "02.csv", ns=(1, 1))
        fails(softmax_cli("predict", "slow/", "-o", "probs/", "--resume"), 2, "slow/02.csv has changed")
        assert softmax_cli("predict", "slow/", "-o", "probs/", "--force").code == 0
        assert "_SUCCESS" in names(tmp_path / "probs")

    def test_two_runs_at_once(self, start, softmax_cli, slow, tmp_path):
        process = start("predict", "slow/", "-o", "probs/", "--threads", "1")
        deadline = time.monotonic() + 60
        while not self.done(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.005)
        fails(softmax_cli("predict", "slow/", "-o", "probs/", "--force"), 2, "another run is writing there")
        assert process.wait(60) == 0
        process.stderr.close()
        assert "_SUCCESS" in names(tmp_path / "probs")
