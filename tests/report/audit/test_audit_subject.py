from firstlight.report.audit.layer_grid import layer_grid
from firstlight.report.audit.subject import ALONE, subject
from firstlight.report.audit.verdicts import checks, concerned, overall


def test_one_module_called_twice_has_two_places(made):
    calls = (made.activation("act"), made.activation("act"), made.activation(""))
    found = subject(made.audit(activations=calls))
    assert [site.label for site in found.sites] == [
        "1: act (relu)",
        "2: act [2] (relu)",
        "3: (root) (relu)",
    ]
    assert [site.found[ALONE] for site in found.sites] == list(calls)


def test_what_one_scheme_lacks_is_missing_in_it_alone(made):
    whole = made.audit()
    part = made.audit(activations=whole.activations[1:])
    found = subject({"a": whole, "b": part})
    assert [sorted(site.found) for site in found.sites] == [["a"], ["a", "b"]]


def test_a_weight_is_followed_by_the_first_activation_that_reads_it(made):
    name = "layers.0.weight"
    acts = (
        made.activation("other", weight="elsewhere"),
        made.activation("first", weight=name, second_moment=7.5),
        made.activation("second", weight=name),
    )
    found = subject(made.audit(layers=1, activations=acts))
    shown = layer_grid(found)
    heads = [head for head, _, _ in shown.heads]
    (line,) = shown.lines
    row = dict(zip(heads, line.cells, strict=True))
    assert row["Activation behind it"].text == "2: first (relu)"
    assert row["E z²"].text == "7.5"
    assert row["Skewed 0.1 %"][:3] == ("70.0", 0.7, "(68.0)")


def test_the_worst_verdict_about_a_layer_counts(made):
    names = ("layers.0.weight", "layers.1.weight")
    found = subject({"a": made.audit(judged=made.verdicts(names))})
    assert concerned(found) == {("a", names[0]): "failure", ("a", names[1]): "warning"}
    assert [line.level for line in layer_grid(found).lines] == ["failure", "warning", None]


def test_checks_are_ordered_from_bad_to_good(made):
    found = subject(made.side_by_side())
    assert [(check.name, check.levels[-1], check.fine) for check in checks(found)] == [
        ("rank", "failure", False),
        ("twin rows", "warning", False),
        ("dead units", "ok", True),
    ]


def test_a_scheme_without_a_check_has_none(made):
    judged = made.verdicts(("layers.0.weight",))
    found = subject({"a": made.audit(judged=judged), "b": made.audit(judged=judged[:1])})
    assert {check.name: check.levels[1] for check in checks(found)} == {
        "rank": "failure",
        "twin rows": None,
        "dead units": None,
    }


def test_the_headline_counts(made):
    judged = made.verdicts(("layers.0.weight",))
    for verdicts, said in (
        (judged, "1 failure and 1 warning; 3 checks made."),
        (judged[1:2] * 2, "2 warnings; 2 checks made."),
        (judged[2:], "Healthy; 1 check made."),
        ((), "Not judged."),
    ):
        assert overall(subject(made.audit(judged=verdicts))) == said
