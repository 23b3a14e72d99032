#!/usr/bin/env bash
# Imbalance: the classifier saw 119 zeros and 6 nines, the scans to be read hold as many of each.
set -euo pipefail
cd "$(dirname "$0")"

# Share of rows whose prediction is the true label; columns are found by their names.
accuracy='NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i; next} {right += $at["prediction"] == $at["label"]}
    END {printf "%.4f  (%d of %d)\n", right / (NR - 1), right, NR - 1}'
score() {
    printf '%-34s' "$1"
    shift
    softmax-cli predict digits_imbalanced.csv --quiet "$@" | awk -F, "$accuracy"
}

echo "Training scans of each digit:"
paste -sd' ' training_counts.csv

echo "Accuracy on scans that are balanced:"
score "as the classifier has it"
score "class weights n/(K n_i)" --class-weights balanced:training_counts.csv
score "priors: from training to uniform" --source-prior training_counts.csv --target-prior uniform
score "logit adjustment, tau = 1" --source-prior training_counts.csv --logit-adjust 1

echo "The three are the same correction in three vocabularies. Weighing two classes alone, in words:"
softmax-cli predict digits_imbalanced.csv --class-weights eight=4,nine=8 --limit 1 >/dev/null
