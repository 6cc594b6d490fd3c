from hypothesis import given
from hypothesis import strategies as st

from firstlight.report.palette import styles

USUAL = ["default", "he_normal", "orthogonal", "lsuv", "sinusoidal", "harmonic"]
names = st.lists(st.sampled_from(USUAL) | st.text(max_size=12), unique=True, max_size=24)


@given(names, st.randoms())
def test_every_scheme_can_be_told_from_the_others_even_in_grey(schemes, random):
    looks = styles(schemes)
    assert set(looks) == set(schemes)
    assert len({(look.dash, look.marker) for look in looks.values()}) == len(schemes)
    random.shuffle(schemes)
    assert styles(schemes) == looks


@given(names)
def test_the_usual_schemes_look_the_same_in_every_report(schemes):
    alone = styles(USUAL)
    for name, look in styles(schemes).items():
        if name in USUAL:
            assert look == alone[name]


def test_a_scheme_with_options_takes_the_look_of_its_bare_name_where_that_is_free():
    assert (
        styles(["harmonic:mode=fan_out"])["harmonic:mode=fan_out"]
        == styles(["harmonic"])["harmonic"]
    )
    both = styles(["harmonic:mode=fan_out", "harmonic"])
    assert both["harmonic"] == styles(["harmonic"])["harmonic"]
    assert both["harmonic:mode=fan_out"] != both["harmonic"]


def test_seven_schemes_have_seven_colours():
    looks = styles([*USUAL, "siren"]).values()
    assert len({look.light for look in looks}) == 7
    assert len({look.dark for look in looks}) == 7


def luminance(colour):
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_stand_out_from_the_page():
    # 3 : 1 is what WCAG asks of graphics; the lightest Okabe-Ito colours reach 2.2 on white.
    for look in styles([*USUAL, "siren"]).values():
        assert 1.05 / (luminance(look.light) + 0.05) > 2.2
        assert (luminance(look.dark) + 0.05) / (luminance("#12151b") + 0.05) > 3
