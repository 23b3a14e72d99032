#!/usr/bin/env bash
# First steps: a table of logits in, probabilities out; a softer distribution; the best few classes; in a pipe.
set -euo pipefail
cd "$(dirname "$0")"

echo "1. Probabilities of the first scan, with its prediction:"
softmax-cli predict digits.csv --quiet | head -2

echo "2. A temperature of 2 makes the network less sure of itself and changes no prediction. Mean confidence:"
# Columns are found by their names, so the one-liner survives another --emit or --layout.
mean_confidence='NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i; next} {sum += $at["confidence"]} END {printf "%.4f\n", sum / (NR - 1)}'
printf 'T=1 '
softmax-cli predict digits.csv --quiet | awk -F, "$mean_confidence"
printf 'T=2 '
softmax-cli predict digits.csv --quiet --temperature 2 | awk -F, "$mean_confidence"

echo "3. The three best classes of each scan, from a pipe:"
head -4 digits.csv | softmax-cli predict - --quiet --top-k 3 --decimals 3

echo "4. What would be done, without doing it:"
softmax-cli predict digits.csv --temperature 2 --dry-run
