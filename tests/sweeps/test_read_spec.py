import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import OptionError
from firstlight.sweeps import read_spec
from firstlight.sweeps.yaml_lines import read_text

GOOD = """\
models: mlp
data: digits
optimizers: [sgd, adamw]
schemes: [default, harmonic]
epochs: 2
"""


@pytest.fixture
def read(tmp_path):
    def run(text: str):
        path = tmp_path / "s.yaml"
        path.write_text(text, encoding="utf-8")
        return read_spec(path)

    return run


def test_what_is_not_said_has_the_papers_values(read):
    block = read(GOOD).comparisons[0]
    assert (block.seeds, block.batch_size, block.learning_rate) == ((0, 1, 2), 64, 1e-3)
    assert (block.weight_decay, block.forms, block.precision) == (1e-3, ("published",), "no")


def test_keys_at_the_top_hold_for_all_comparisons_that_say_nothing_else(read):
    spec = read(
        GOOD
        + "learning_rate: 1e-2\ncomparisons:\n  - {epochs: 5}\n  - {schemes: zero, seeds: [7]}\n"
    )
    one, other = spec.comparisons
    assert (one.epochs, one.schemes, one.seeds) == (5, ("default", "harmonic"), (0, 1, 2))
    assert (other.epochs, other.schemes, other.seeds) == (2, ("zero",), (7,))
    assert one.learning_rate == other.learning_rate == 0.01


def test_yaml_is_read_as_of_version_1_2(read):
    spec = read(GOOD + "precision: no\nlearning_rate: 5e-5\n")
    assert (spec.comparisons[0].precision, spec.comparisons[0].learning_rate) == ("no", 5e-5)
    assert read(GOOD + "seeds: [010, 0x1f, 0o17]\n").comparisons[0].seeds == (10, 31, 15)


@pytest.mark.parametrize(
    ("more", "line", "words"),
    [
        ("epohcs: 3", 6, "no key is called epohcs; did you mean epochs?"),
        ("seeds: two", 6, "seeds must be a count of at least 1"),
        ("seeds: [1, -2]", 6, "seeds must be a count"),
        ("learning_rate: fast", 6, "learning_rate: input should be a valid number, got 'fast'"),
        ("learning_rate: -1", 6, "greater than 0, got -1"),
        ("learning_rate: .inf", 6, "learning_rate"),
        ("batch_size: 1.5", 6, "batch_size: input should be a valid integer"),
        ("batch_size: true", 6, "batch_size: input should be a valid integer, got True"),
        ("precision: half", 6, "precision: input should be 'no', 'bf16' or 'fp16'"),
        ("forms: [published, tunned]", 6, "forms: input should be 'published', 'matched' or 'tun"),
        ("resources: {cpus: 2, gpu: 1}", 6, "no key is called gpu; did you mean gpus?"),
        ("resources:\n  cpus: 0", 7, "resources.cpus: input should be greater than or equal to 1"),
        ("resources: {gpus: 1.5}", 6, "a share of one GPU or a whole number of them, got 1.5"),
        ("retries: many", 6, "retries: input should be a valid integer"),
        ("comparisons: []", 6, "comparisons: value should have at least 1 item"),
        ("comparisons:\n- epochs: 1\n- epochs: 0", 8, "epochs: input should be greater than or"),
        ("comparisons:\n- epochs: 1\n- models: mpl", 8, "model must be one of mlp"),
        ("comparisons:\n- optimizers: [sgd,\n    adagrad]", 8, "optimizer must be one of sgd"),
        ("comparisons:\n- schemes:\n  - zero\n  - sinusoidl", 9, "scheme must be one of"),
        ("comparisons:\n- models:\n  - mlp\n  - 3", 9, "models: input should be a valid string"),
        ("seeds:\n  - 1\n  - two", 8, "seeds: input should be a valid integer"),
        ("seeds: 1:30", 6, "seeds must be a count of at least 1"),
        ("seeds: [1_0]", 6, "seeds: input should be a valid integer"),
        ("seeds: 2020-01-01", 6, "seeds must be a count of at least 1"),
        ("comparisons:\n- models: bert_mini", 7, "bert_mini"),
        ("comparisons:\n- resources: {cpus: 1}", 7, "resources stands at the top of the file"),
        ("comparisons: 3", 6, "expected a list of comparisons, got 3"),
        ("comparisons:\n- data: 3", 7, "data: expected a name or a list of names, got 3"),
        ("resources: 3", 6, "resources: expected keys and values, got 3"),
        ("comparisons:\n- mlp", 7, "comparisons: expected keys and values, got 'mlp'"),
        ("epochs: 3", 6, "epochs is given twice"),
        ("batch_size: [", 6, "but found '<stream end>'"),
        ("data_: !!python/object:os.system x", 6, "could not determine a constructor"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(read, more, line, words):
    with pytest.raises(OptionError) as error:
        read(f"{GOOD}{more}\n")
    text = str(error.value)
    found = re.search(r"s\.yaml: line (\d+): ", text)
    assert found is not None, text
    assert words in text
    # the end of a file that is cut short is on the line after its last
    assert int(found[1]) in ((line, line + 1) if "stream end" in words else (line,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected keys and values"),
        ("- mlp", "expected keys and values"),
        ("models: mlp", "data is missing"),
        (GOOD.replace("mlp", "'torchvision:resnet5'"), "resnet5"),
        (GOOD.replace("harmonic", "harmonic:gian=1"), "does not use the option 'gian'"),
        (GOOD.replace("digits", "cifra10"), "data must be one of"),
    ],
)
def test_a_spec_that_lacks_something_or_names_what_is_not_there(read, text, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        read(text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(OptionError, match=r"cannot read .*none\.yaml: No such file"):
        read_spec(tmp_path / "none.yaml")


def test_aliases_cannot_grow_without_end():
    text = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 8)}]\n" for i in range(12)
    )
    with pytest.raises(OptionError, match="more than 65536 values"):
        read_text(text, "bomb.yaml")


def test_a_value_cannot_contain_itself():
    with pytest.raises(OptionError, match="line 1: a value must not contain itself"):
        read_text("a: &b [*b]", "loop.yaml")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(OptionError):  # nothing else
        read_text(text, "x.yaml")
