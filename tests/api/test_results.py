"""Results as a notebook shows them."""

from dataclasses import FrozenInstanceError

import pytest

from softmax_cli.api.results import CalibrationResult, InspectionResult, Result


def test_figures_are_a_table_whose_names_are_text():
    shown = Result({}, {"<b>": 0.123456789, "method": "vector", "after": {"log_loss": 2}})._repr_html_()
    assert "<tr><td>&lt;b&gt;</td><td>0.12346</td></tr>" in shown
    assert "<tr><td>method</td><td>vector</td></tr><tr><td>after log_loss</td><td>2</td></tr>" in shown


def test_findings_stand_below():
    finding = {"severity": "problem", "text": "1 < 2", "advice": "mend it"}
    shown = InspectionResult({}, {"rows": 3}, [finding])._repr_html_()
    assert shown.endswith("<tr><td>problem</td><td>1 &lt; 2</td><td>mend it</td></tr></table>")
    assert InspectionResult({}, {"rows": 3})._repr_html_().count("<table>") == 1


def test_results_are_frozen_and_a_calibration_is_saved(tmp_path):
    found = CalibrationResult({}, {}, '{"x": 1}')
    found.save(tmp_path / "c.json")
    assert (tmp_path / "c.json").read_text() == '{"x": 1}'
    with pytest.raises(FrozenInstanceError):
        found.json = ""
