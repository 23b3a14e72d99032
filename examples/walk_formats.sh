#!/usr/bin/env bash
# Formats: CSV to Parquet and on through pipes; compression by the name of the file; the same figures everywhere.
set -euo pipefail
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo "1. CSV to Parquet: columns keep their types, and the file says how it was made."
softmax-cli predict digits.csv -o "$out/probs.parquet" --quiet

echo "2. Parquet through standard input to JSON lines (the file says that it holds probabilities):"
softmax-cli predict - --quiet --format jsonl --top-k 2 <"$out/probs.parquet" >"$out/probs.jsonl"
head -1 "$out/probs.jsonl"

echo "3. Compressed by name, and read back without saying so:"
softmax-cli predict digits.csv -o "$out/probs.csv.gz" --quiet
gzip --test "$out/probs.csv.gz"
printf 'rows: '
softmax-cli predict "$out/probs.csv.gz" --quiet --only-predictions | tail -n +2 | wc -l

echo "4. A file and a pipe give the same bytes:"
softmax-cli predict digits.csv --quiet >"$out/from_file.csv"
softmax-cli predict - --quiet <digits.csv >"$out/from_pipe.csv"
cmp "$out/from_file.csv" "$out/from_pipe.csv" && echo "identical"

echo "5. One row per class, for a database or a plot:"
softmax-cli predict digits.csv --quiet --layout long --top-k 2 | head -3
