"""What each column of a table is taken for, as people's tables come: by names, types, values, and by what pandas wrote.

The law first: what stands beside the scores, how it is called and in which order, never changes the probabilities.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError, UsageError
from softmax_cli.tables.columns import Columns, Selection, resolve


def roles(columns: dict[str, object] | pa.Table | pa.RecordBatch, **typed: object) -> Columns:
    batch = pa.RecordBatch.from_pydict(columns) if isinstance(columns, dict) else columns
    return resolve(batch.schema, Selection(**typed), batch)


def in_text(columns: dict[str, list[str]]) -> tuple[pa.Schema, pa.RecordBatch]:
    """As a text format has it: all cells as text, the schema says which look like numbers."""
    batch = pa.RecordBatch.from_pydict(columns)
    return batch.schema, batch


SCORES = {"cat": [2.5, 0.5, 1.5], "dog": [1.25, 1.5, 0.25]}

IDS = [
    "id ID Id image_id ImageId PassengerID sampleID SampleId user-id doc.id 'image id' uuid guid UUID row_uuid index",
    "idx sample_idx row key qid userid imageid RowNumber file_id id1",
]
TRUTHS = [
    "label labels Label LABEL label_id label_ids target targets truth ground_truth GroundTruth gt class Class y Y",
    "y_true yTrue actual true_label y_test gold_label",
]
PREDICTIONS = [
    "predict prediction predictions predicted predicted_id predicted_label PredictedLabel pred preds pred_class y_pred",
    "YPred y_hat model_pred confidence max_prob max_logit entropy margin top1_prob",
]
WEIGHTS = ["weight weights sample_weight sampleWeight class_weights instance-weight"]
ORDERS = ["split fold epoch step time time_ms timestamp rank cv_fold kfold global_step"]
INDEXES = ["level_0 __index_level_0__ __index_level_1__"]


def names_in(lines: list[str]) -> list[str]:
    return [name.strip("'") for line in lines for name in line.replace("'image id'", "image~id").split()]


@pytest.mark.parametrize("name", names_in([*IDS, *TRUTHS, *PREDICTIONS, *WEIGHTS, *ORDERS, *INDEXES]))
@pytest.mark.parametrize("first", [True, False])
def test_a_number_named_like_something_else_is_no_score(name, first):
    other = {name.replace("~", " "): [7, 8, 7]}
    columns = roles(other | SCORES if first else SCORES | other)
    assert columns.scores == ("cat", "dog")


@pytest.mark.parametrize("name", ["Unnamed: 0", "Unnamed: 0.1", "Unnamed: 12", "unnamed:_0", ""])
@pytest.mark.parametrize("first", [True, False])
def test_an_index_in_a_text_file_is_the_id(name, first):
    other = {name: [0, 1, 2]}
    columns = roles(other | SCORES if first else SCORES | other)
    assert (columns.scores, columns.id) == (("cat", "dog"), name)


def test_an_id_goes_before_an_index_and_a_file_name():
    columns = roles({"": [0, 1, 2], "file": ["a", "b", "c"], "image_id": [7, 8, 9], **SCORES})
    assert columns.id == "image_id"


@pytest.mark.parametrize("name", names_in(TRUTHS))
def test_a_truth_by_any_of_its_names(name):
    assert roles({**SCORES, name: [0, 1, 0]}).label == name


def test_the_surest_name_of_a_truth_goes_first():
    assert roles({**SCORES, "label": ["dog", "cat", "cat"], "y_true": ["cat", "cat", "dog"]}).label == "y_true"


def test_truths_that_differ_are_left_open_and_those_that_agree_are_not():
    differing = roles({**SCORES, "label": ["cat", "dog", "cat"], "target": ["dog", "dog", "cat"]})
    assert (differing.label, differing.truths) == (None, ("label", "target"))
    agreeing = roles({**SCORES, "label": [0, 1, 0], "class": ["cat", "dog", "cat"]})
    assert (agreeing.label, agreeing.truths) == ("label", ())


FAMILIES = [
    ("logit_{}", "logits"),
    ("logits_{}", "logits"),
    ("logit {}", "logits"),
    ("Logit.{}", "logits"),
    ("score_{}", "logits"),
    ("raw_{}", "logits"),
    ("raw_score_{}", "logits"),
    ("output_{}", "logits"),
    ("z_{}", "logits"),
    ("RawFormulaVal:Class={}", "logits"),
    ("prob_{}", "prob"),
    ("PROB_{}", "prob"),
    ("proba-{}", "prob"),
    ("probability_{}", "prob"),
    ("Probability:Class={}", "prob"),
    ("p_{}", "prob"),
    ("softmax_{}", "prob"),
    ("pred_proba_{}", "prob"),
    (".pred_{}", "prob"),
    ("prob({})", "prob"),
    ("{}_prob", "prob"),
    ("logprob_{}", "logprob"),
    ("log_prob_{}", "logprob"),
    ("logp_{}", "logprob"),
]


@pytest.mark.parametrize(("spelling", "kind"), FAMILIES)
def test_a_family_of_names_is_the_scores_and_tells_their_kind(spelling, kind):
    family = {spelling.format(name): [0.1, 0.2] for name in ("cat", "dog", "big cow")}
    columns = roles({"age": [31.5, 40.25], **family, "n_words": [5, 7]})
    assert (columns.scores, columns.kind) == (tuple(family), kind)
    assert columns.classes == ("cat", "dog", "big cow")
    assert columns.passed_numbers == ("age", "n_words")
    assert "passes: age, n_words" in columns.summary()


@pytest.mark.parametrize("spelling", ["{}", "class_{}", "class{}", "c{}", "p{}", "prob{}", "logit{}"])
@pytest.mark.parametrize("start", [0, 1])
def test_names_that_count_the_classes_are_a_family(spelling, start):
    family = {spelling.format(number): [0.1, 0.2] for number in range(start, start + 3)}
    assert roles({"age": [31.5, 40.25], **family}).scores == tuple(family)


def test_names_that_count_with_a_gap_are_none():
    assert "owl" in roles({"0": [0.1, 0.2], "1": [0.3, 0.2], "3": [0.5, 0.1], "owl": [0.5, 0.25]}).scores


@pytest.mark.parametrize("beginning", ["", "x_"])
def test_no_class_is_called_by_a_separator(beginning):
    batch = {f"{beginning}logit_cat": [1.0], f"{beginning}logit_dog": [2.0]}
    assert roles(batch, scores=f"{beginning}logit*").classes == ("cat", "dog")


def test_class_names_are_trimmed():
    assert roles({" logit_cat": [1.0], "logit_dog ": [2.0]}).classes == ("cat", "dog")
    assert roles({" cat": [1.0], "dog ": [2.0]}).classes == ("cat", "dog")


def test_the_truth_says_how_much_of_a_name_is_the_class():
    batch = {"logit_big_cat": [1.5], "logit_big_dog": [2.5]}
    assert roles(batch).classes == ("big_cat", "big_dog")
    assert roles({**batch, "label": ["cat"]}).classes == ("cat", "dog")
    assert roles({**batch, "label": ["logit_big_cat"]}).classes == ("logit_big_cat", "logit_big_dog")


def test_logits_go_before_probabilities_of_the_same_classes():
    batch = {"prob_a": [0.9], "prob_b": [0.1], "score_a": [2.0], "score_b": [0.5]}
    assert roles(batch).scores == ("score_a", "score_b")


def test_a_vague_family_of_other_classes_is_open():
    with pytest.raises(
        DataError, match=r"score_\* and prob_\* could both be .* --logits 'score_\*' or --logits 'prob_\*'"
    ):
        roles({"prob_a": [0.9], "prob_b": [0.1], "score_math": [2.0], "score_art": [0.5]})


def test_two_families_of_one_rank_are_open():
    with pytest.raises(DataError, match="could both be the scores"):
        roles({"logit_a": [0.9], "logit_b": [0.1], "logits_a": [2.0], "logits_b": [0.5]})


def test_text_under_the_name_of_a_score_is_no_silent_loss_of_a_class():
    with pytest.raises(DataError, match="'prob_c' is named like a score and holds text, such as '98%'"):
        roles({"prob_a": [0.9], "prob_b": [0.1], "prob_c": ["98%"]})
    assert roles({"prob_a": [0.9], "prob_b": [0.1], "prob_note": ["fine"]}).classes == ("a", "b")


@pytest.mark.parametrize("name", ["prob", "proba", "y_prob", "Probability", "pred_proba", "prob_spam"])
def test_a_lone_column_named_like_a_probability_is_one(name):
    columns = roles({"age": [31, 40], name: [0.9, 0.2], "label": [1, 0]})
    assert (columns.scores, columns.kind, columns.is_binary) == ((name,), "prob", True)


def test_a_letter_tells_the_kind_of_a_lone_column_and_too_little_beside_others():
    columns = roles({"p": [0.9, 0.2], "label": [1, 0]})
    assert (columns.scores, columns.kind) == (("p",), "prob")
    assert roles({"p": [0.9, 0.2], "q": [0.1, 0.8]}).scores == ("p", "q")


def test_a_lone_score_may_be_anything():
    columns = roles({"score": [0.9, 0.2], "label": [1, 0]})
    assert (columns.scores, columns.kind, columns.kind_is_assumed) == (("score",), "logits", True)


def test_the_largest_probability_is_no_class_and_no_lone_score():
    with pytest.raises(DataError, match="which are the scores"):
        roles({"cat": [0.75, 0.25], "dog": [0.25, 0.75], "prob": [0.75, 0.75]})


# -- lists, structs, maps


def test_a_list_named_like_scores_goes_before_others_wherever_it_stands():
    lists = {"input_ids": [[101, 7592]], "embedding": [[0.5, 0.25]], "val_logits": [[2.0, -1.0]], "probs": [[0.9, 0.1]]}
    for order in (list(lists), list(reversed(lists))):
        columns = roles({name: lists[name] for name in order})
        assert (columns.scores, columns.kind) == (("val_logits",), "logits")


def test_raw_predictions_of_spark_go_behind_the_probability_that_is_made_of_them():
    lists = {"rawPrediction": [[-0.5, 0.5], [1.5, -1.5]], "probability": [[0.25, 0.75], [0.75, 0.25]]}
    assert roles(lists).scores == ("probability",)
    assert roles({"rawPrediction": lists["rawPrediction"]}).scores == ("rawPrediction",)


def test_the_only_list_of_fractions_counts_where_nothing_else_does():
    assert roles({"id": [1], "predictions": [[0.5, 1.5]], "label_ids": [1]}).scores == ("predictions",)
    assert roles({"foo": [[0.5, 1.5]], "cat": [1.0], "dog": [2.0]}).scores == ("cat", "dog")


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ({"foo": [[1.5, 2.5]], "bar": [[0.5, 0.25]]}, "--logits foo or --logits bar"),
        ({"input_ids": [[101, 7592]]}, "no column looks like a score"),
        ({"input_ids": [[101, 7592]], "embedding": [[0.5, 1.5]]}, "--logits input_ids or --logits embedding"),
    ],
)
def test_lists_of_unknown_names_are_open(batch, words):
    with pytest.raises(DataError, match=words):
        roles(batch)


def test_a_struct_and_a_map_of_numbers_hold_a_row_of_scores():
    struct = pa.array([{"cat": 2.0, "dog": 1}])
    maps = pa.array([[("cat", 2.0), ("dog", 1.0)]], pa.map_(pa.string(), pa.float64()))
    for column in (struct, maps):
        columns = roles(pa.record_batch([pa.array(["a"]), column], names=["id", "logits"]))
        assert (columns.scores, columns.classes, columns.keys) == (("logits",), ("cat", "dog"), ("cat", "dog"))


# -- said by the file


def from_pandas(frame: pd.DataFrame) -> Columns:
    return roles(pa.RecordBatch.from_pandas(frame))


FRAME = pd.DataFrame({"a": [2.0, 0.5, 1.5], "b": [1.0, 1.5, 0.5]})


@pytest.mark.parametrize("name", [None, "image", "value", "a name"])
def test_the_index_that_pandas_wrote_is_no_class(name):
    columns = from_pandas(FRAME.set_index(pd.Index([5.5, 7.0, 9.0], name=name)))
    assert columns.scores == ("a", "b")
    assert columns.id == (name or "__index_level_0__")


def test_the_levels_of_an_index_are_no_classes_and_none_is_the_id():
    levels = pd.MultiIndex.from_tuples([(1, 5), (1, 6), (2, 5)], names=["query", "doc"])
    columns = from_pandas(FRAME.set_index(levels))
    assert (columns.scores, columns.id) == (("a", "b"), None)


def test_types_that_are_no_numbers_are_no_scores():
    batch = pa.record_batch(
        {
            "a": [2.5],
            "b": [1.5],
            "flag": [True],
            "note": ["x"],
            "level": pa.array(["1"]).dictionary_encode(),
            "code": pa.array([3]).dictionary_encode(),
            "day": pa.array([0], pa.date32()),
            "at": pa.array([0], pa.timestamp("s")),
        }
    )
    assert roles(batch).scores == ("a", "b")


# -- told by values

ROWS = np.arange(12)


def test_whole_numbers_that_all_differ_beside_fractions_are_an_id():
    scores = {"cat": ROWS + 0.5, "dog": ROWS * 0.25, "cow": ROWS * 0.75 + 0.1}
    ids = (ROWS * 7 % 12 + 3).tolist()
    columns = roles({**scores, "passenger": ids})
    assert (columns.scores, columns.id) == (("cat", "dog", "cow"), "passenger")
    assert dict(columns.evidence)["id"] == "whole numbers that all differ"


def test_few_rows_count_where_an_id_is_first_and_in_order():
    columns = roles({"passenger": [892, 893, 897], **SCORES})
    assert (columns.scores, columns.id) == (("cat", "dog"), "passenger")


@pytest.mark.parametrize("batch", [{**SCORES, "cow": [1, 2, 3]}, {"cow": [1, 2, 3], "cat": [0.5, 1.5, 2.5]}])
def test_too_few_rows_to_tell_an_id_from_a_class_are_open(batch):
    with pytest.raises(DataError, match="--id cow; if it is a class, --logits"):
        roles(batch)
    assert roles(batch, id="cow").scores == tuple(name for name in batch if name != "cow")
    assert roles(batch, scores=tuple(batch)).scores == tuple(batch)


def test_whole_scores_among_fractions_are_scores():
    assert roles({"cat": [3.0, 1.0, 5.0], "dog": [1.0, 1.1, 0.0]}).scores == ("cat", "dog")
    assert roles({"cat": [3, 1, 5], "dog": [2, 1, 0]}).scores == ("cat", "dog")


def test_columns_of_0_and_1_as_many_as_the_scores_are_a_one_hot_truth():
    batch = {"p_cat": [0.7, 0.4], "p_dog": [0.3, 0.6], "y_dog": [0, 1], "y_cat": [1, 0]}
    assert roles(batch).one_hot == ("y_cat", "y_dog")
    bare = roles({"cat": [0.7, 0.4], "dog": [0.3, 0.6], "is_cat": [True, False], "is_dog": [False, True]})
    assert (bare.scores, bare.one_hot) == (("cat", "dog"), ("is_cat", "is_dog"))
    assert roles({**batch, "label": ["cat", "dog"]}).one_hot == ()


def test_flags_of_other_names_are_no_truth():
    batch = {"p_cat": [0.7, 0.4], "p_dog": [0.3, 0.6], "is_train": [0, 1], "is_test": [1, 0]}
    assert roles(batch).one_hot == ()


def test_a_column_far_off_the_others_is_asked_about():
    (warning,) = roles({"cat": [2.5, 0.5], "dog": [1.5, -1.0], "owl": [31.5, 40.25]}).warnings
    assert "is 'owl' a class? It holds 31.5 to 40.25, the others -1 to 2.5" in warning
    assert roles({"cat": [2.5, 0.5], "dog": [1.5, -1.0], "cow": [3.5, -2.5]}).warnings == ()


@pytest.mark.parametrize("name", ["y", "key", "file", "rank", "class"])
def test_a_name_that_the_values_contradict_is_open(name):
    with pytest.raises(DataError, match=f"'{name}' is named like .* and holds fractions, as scores do"):
        roles({"x": [0.5, 1.5], "z": [2.5, 1.0], name: [0.75, -0.5]})


@pytest.mark.parametrize(
    "batch",
    [
        {"id": [1, 1, 2], "score": [2.5, 1.0, 0.5]},
        {"id": [1, 2, 3], "class": ["cat", "dog", "cat"], "score": [2.5, 1.0, 0.5]},
        {"id": [1, 2, 3], "item": ["a", "b", "c"], "prob": [0.5, 0.25, 0.125]},
    ],
)
def test_a_long_table_is_not_taken_for_rows(batch):
    with pytest.raises(DataError, match=r"the only score column.*(--long|--group)"):
        roles(batch)
    assert roles(batch, positive="spam").classes == ("not spam", "spam")


def test_a_truth_of_two_names_is_offered_as_the_classes():
    with pytest.raises(DataError, match="--classes 'ham,spam'"):
        roles({"score": [2.5, 1.0], "label": ["spam", "ham"]})


# -- typed


def test_a_name_that_is_not_there_is_answered_with_the_nearest():
    for flag, typed in (("id", "idd"), ("label", "lable")):
        with pytest.raises(UsageError, match=f"--{flag} '{typed}': no such column; did you mean '{flag}'"):
            roles({"id": [1], "label": [0], **{f"c_{i}": [0.5] for i in range(200)}}, **{flag: typed})
    with pytest.raises(UsageError, match="did you mean 'logit_cat'"):
        roles({"logit_cat": [1.0], "logit_dog": [1.0]}, scores="logit_cta,logit_dog")


def test_typed_names_are_matched_trimmed():
    columns = roles({" cat": [1.5], "dog ": [2.5], " y": [0]}, scores="cat,dog", label="y")
    assert (columns.scores, columns.label) == ((" cat", "dog "), " y")


# -- the law


@given(st.data())
def test_what_stands_beside_the_scores_never_changes_what_the_scores_are(data):
    """In any order, with any of the names that say it is something else."""
    family = data.draw(st.sampled_from(["logit_{}", "prob_{}", "score_{}", "RawFormulaVal:Class={}", "{}"]))
    scores = {family.format(name): values for name, values in {"cat": [0.5, 2.25], "dog": [1.5, 0.125]}.items()}
    beside = data.draw(st.lists(st.sampled_from(names_in([*IDS, *PREDICTIONS, *WEIGHTS, *ORDERS])), unique=True))
    everything = {**scores, **{name: [7, 8] for name in beside}, "note": ["x", "y"], "flag": [True, False]}
    order = data.draw(st.permutations(list(everything)))
    columns = roles({name: everything[name] for name in order})
    assert set(columns.scores) == set(scores)
    assert set(columns.others) | {"prediction", "confidence"} == set(everything) - set(scores) | {
        "prediction",
        "confidence",
    }


def test_our_own_record_goes_before_names():
    record = json.dumps({"kind": "prob", "scores": ["cat", "dog"], "classes": ["big cat", "big dog"]}).encode()
    batch = pa.RecordBatch.from_pydict({"logit_a": [1.0], "logit_b": [2.0], "cat": [0.5], "dog": [0.5]})
    columns = roles(batch.replace_schema_metadata({b"softmax_cli": record}))
    assert (columns.scores, columns.classes, columns.kind) == (("cat", "dog"), ("big cat", "big dog"), "prob")


# -- figures of the scores, and classes that are named like something else


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda z: z.sum(axis=0), "is the sum of the others in every row"),
        (lambda z: z.max(axis=0), "is the largest of the others in every row"),
    ],
)
@pytest.mark.parametrize("spelling", ["{}", "score_{}"])
def test_a_figure_made_of_the_scores_is_asked_about(made, words, spelling):
    z = np.array([[1.5, -0.5, 2.25, 0.5], [0.25, 1.5, -1.75, 2.5], [-2.5, 0.75, 0.5, -1.25]])
    batch = {spelling.format(name): row.tolist() for name, row in zip("abc", z, strict=True)}
    (warning,) = roles({**batch, spelling.format("x"): made(z).tolist()}).warnings
    assert words in warning
    assert roles({**batch, spelling.format("copy"): z[0].tolist()}).warnings == ()


def test_classes_that_are_called_weights_are_not_left_out_without_a_word():
    batch = {"Normal_Weight": [0.25, 0.5], "Overweight": [0.5, 0.25], "Insufficient_Weight": [0.25, 0.25]}
    with pytest.raises(DataError, match="are Normal_Weight, Insufficient_Weight classes too"):
        roles(batch)


def test_shares_that_only_sum_to_1_with_another_column_are_open():
    with pytest.raises(DataError, match="are confidence classes too"):
        roles({"doubt": [0.25, 0.5], "confidence": [0.5, 0.25], "despair": [0.25, 0.25]})
    assert roles({"cat": [0.25, 0.5], "dog": [0.75, 0.5], "confidence": [0.75, 0.5]}).scores == ("cat", "dog")


@pytest.mark.parametrize("name", ["predator", "classic", "labelled", "weighty", "correct"])
def test_words_that_only_begin_like_other_things_are_classes(name):
    assert name in roles({"a": [0.5, 1.5], name: [1.25, -0.5], "b": [0.25, 2.5]}).scores


def test_one_hot_columns_named_like_a_listing_are_none():
    batch = {"prob_0": [0.75, 0.25], "prob_1": [0.25, 0.75], "label_0": [1, 0], "label_1": [0, 1]}
    assert roles(batch).one_hot == ("label_0", "label_1")


def test_whole_numbers_among_fractions_are_asked_about():
    batch = {"cat": ROWS * 0.5 + 0.25, "dog": ROWS * 0.25, "cow": ROWS * 0.75 + 0.1}
    (warning,) = roles({**batch, "flag": (ROWS % 2).tolist()}).warnings
    assert "is 'flag' a class? It holds whole numbers only" in warning


MEASURES = ["price", "age", "loss", "image_width", "duration_ms", "num_tokens", "patientAge", "lat", "logsumexp"]


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_is_a_class_only_where_somebody_says_so(name):
    """Whole numbers pass through; fractions are asked about, unless the truths speak for the other columns."""
    scores = {"cat": [1.5, 0.2, 3.0], "dog": [0.5, 1.2, 2.0]}
    assert roles({**scores, name: [12, 40, 12]}).scores == ("cat", "dog")
    with pytest.raises(DataError, match=rf"is '{name}' a class\?.*--logits 'cat,dog,{name}'.*--logits 'cat,dog'"):
        roles({**scores, name: [12.5, 40.25, 12.0]})
    assert roles({**scores, name: [12.5, 40.25, 12.0], "label": ["cat", "dog", "dog"]}).scores == ("cat", "dog")
    known = roles({**scores, name: [12.5, 40.25, 12.0], "label": ["cat", name, "dog"]})
    assert known.scores == ("cat", "dog", name)


@pytest.mark.parametrize("stem", ["emb_", "feat", "pc", "x", "embedding."])
def test_features_beside_scores_pass_and_alone_are_the_scores(stem):
    features = {f"{stem}{i}": [0.5, 1.5, -2.5] for i in range(4)}
    assert roles({"cat": [1.5, 0.2, 3.0], "dog": [0.5, 1.2, 2.0], **features}).scores == ("cat", "dog")
    assert roles({**features}).scores == tuple(features)


@pytest.mark.parametrize("form", ["{model}_{label}", "{label}.{model}"])
def test_the_scores_of_two_models_are_asked_about(form):
    names = [form.format(model=model, label=label) for model in ("m1", "m2") for label in ("a", "b", "c")]
    table = {name: [1.5, 0.2, 3.0] for name in names}
    with pytest.raises(DataError, match=r"--logits '(m1_\*|\*\.m1)' or --logits '(m2_\*|\*\.m2)'"):
        roles({**table})
    assert roles({**table, "label": ["m1_a", "a.m1", "m2_b"]}).scores == tuple(names), "truths that name them"


def test_a_lone_probability_beside_named_classes_is_open():
    with pytest.raises(DataError, match=r"which are the scores\? --logits prob or --logits 'cat,dog'"):
        roles({"cat": [1.5, 0.2], "dog": [0.5, 1.2], "pred": ["cat", "dog"], "prob": [0.7, 0.8]})


def test_of_several_columns_like_ids_only_the_first_of_the_table_is_one():
    rows = 9
    numbers = {"cat": [i / 7 for i in range(rows)], "dog": [i / 3 for i in range(rows)]}
    whole = {"one": list(range(10, 10 + rows)), "two": list(range(50, 50 + rows))}
    assert roles({**numbers, **whole}).id is None
    assert roles({**whole, **numbers}).id == "one"


HEADERS = {
    "KNIME": ("P (label={})", "prob"),
    "RapidMiner": ("confidence({})", "prob"),
    "Azure": ('Scored Probabilities for Class "{}"', "prob"),
    "PyCaret": ("prediction_score_{}", "logits"),
    "AutoML": ("label_{}_score", "logits"),
    "pandas, of two levels": ("('logit', '{}')", "logits"),
}


@pytest.mark.parametrize("tool", HEADERS)
def test_classes_are_called_as_the_truths_are_whatever_tool_wrote_the_header(tool):
    header, kind = HEADERS[tool]
    scores = {header.format(name): values for name, values in SCORES.items()}
    found = roles({"label": ["cat", "dog", "cat"], **scores, "Prediction (label)": ["cat", "dog", "cat"]})
    assert (found.classes, found.kind, found.label) == (("cat", "dog"), kind, "label")
    assert roles(scores).kind == kind


@pytest.mark.parametrize("cell", ["1_000", "two 2"])
def test_a_lone_score_beside_text_that_is_named_like_it_is_refused(cell):
    with pytest.raises(DataError, match="'logit_cat' is named like a score and holds text, such as "):
        roles({"id": [1, 2], "logit_cat": [cell, cell], "logit_dog": [1.5, 2.5]})


def test_a_range_of_confidences_is_no_pair_of_classes():
    with pytest.raises(DataError, match="confidence_low"):
        roles({**SCORES, "confidence_low": [0.1] * 3, "confidence_high": [0.2] * 3})


@pytest.mark.parametrize("header", ["pred_{}", "prediction {}", "class_{}"])
def test_names_that_begin_with_a_vague_word_are_scores_where_nothing_else_could_be(header):
    scores = {header.format(name): values for name, values in SCORES.items()}
    found = roles({"id": [1, 2, 3], **scores, "temperature": [20.5, 21.5, 22.5], "pred_class": [0, 1, 0]})
    assert (found.classes, found.scores) == (("cat", "dog"), tuple(scores))
    with pytest.raises(DataError, match="could be the scores, and foo hold fractions too"):
        roles({**scores, "foo": [0.5, 1.5, 2.5]})


@pytest.mark.parametrize("cell", ["2.5*", "$2.5", "(2.5)", "2.5 nat", "1.2x10^3", "[2.5]"])
@pytest.mark.parametrize("header", ["{}", "{}_logit", "class_{}", "m1/{}", "logit_{}", "pred_{}"])
def test_no_class_is_lost_to_numbers_that_have_something_around_them(header, cell):
    columns = {header.format(name): values for name, values in SCORES.items()}
    with pytest.raises(DataError, match=header.format("cow")):
        roles({**columns, header.format("cow"): [cell] * 3})
    assert roles({**columns, "size": ["3.5 MB"] * 3, "note": ["v1.2"] * 3, "day": ["2024-01-02"] * 3}).scores == (
        *columns,
    )


def test_a_class_called_top_is_no_largest_figure():
    figures = {f"{name}_logit": values for name, values in SCORES.items()}
    with pytest.raises(DataError, match="is 'top_logit' a class, as 'cat_logit' is"):
        roles({**figures, "top_logit": [0.5, 0.5, 0.5]})
    assert roles({**figures, "top_logit": [2.5, 1.5, 1.5]}).classes == ("cat", "dog")
