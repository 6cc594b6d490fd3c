import json
import os
import pty
import subprocess
import sys

import pytest

import firstlight
from firstlight.cli.plan import predicted
from firstlight.model import Prediction
from firstlight.model.named import build

PROGRAM = "from firstlight.cli import main; main()"
GPT2 = "hf:GPT2LMHeadModel:n_layer=1:n_embd=32:n_head=2:vocab_size=64"


def start(*arguments, program=PROGRAM, **options):
    """Run a real ``firstlight plan``: exit code, stdout, stderr."""
    process = subprocess.run(
        [sys.executable, "-c", program, "plan", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        **options,
    )
    return process.returncode, process.stdout, process.stderr


def test_the_table_is_that_of_the_library_and_whole_in_a_pipe(call):
    code, out, err = call("plan", "mlp:depth=1", "--scheme=harmonic:gain=gelu", "--seed=3")
    assert (code, err) == (0, "")
    *table, moments = out.splitlines()
    model = build("mlp:depth=1")
    assert table == str(firstlight.plan(model, "harmonic", gain="gelu", seed=3)).splitlines()
    assert max(map(len, table)) > 80
    assert moments.startswith("second moment at the input of 1 activation: ")


@pytest.mark.parametrize("model", ["torchvision:resnet18", "timm:resnet10t", GPT2])
def test_others_models_are_planned_without_a_word_on_stderr(model):
    code, out, err = start(model)
    assert (code, err) == (0, "")
    assert "weight matrices to fill" in out


def test_json_parses_and_holds_every_tensor(call):
    code, out, _ = call("plan", "small_resnet", "--scheme=he_normal", "--json")
    assert code == 0
    found = json.loads(out)
    rows = {row["name"]: row for row in found["assignments"]}
    assert set(rows) >= set(build("small_resnet").state_dict())
    assert rows["stem.0.weight"]["scheme"] == "he_normal"
    assert found["predictions"]


def test_yaml_goes_in_again_as_overrides(call, tmp_path):
    options = ["--scheme=siren:omega=20", "--exclude=7.*,1.bias"]
    code, out, _ = call("plan", "mlp", *options, "--yaml")
    assert code == 0
    (tmp_path / "mine.yaml").write_text(out)
    assert (
        call("plan", "mlp", "--overrides=mine.yaml", "--yaml")[1].splitlines()[1:]
        == (out.splitlines()[1:])
    )


def test_patterns_are_separated_by_commas(call):
    found = call("plan", "mlp", "--scheme=zero", "--include=1.*, 3.*", "--exclude=3.bias", "--json")
    rows = {row["name"]: row["scheme"] for row in json.loads(found[1])["assignments"]}
    given = {name for name, scheme in rows.items() if scheme}
    assert given == {"1.weight", "1.bias", "3.weight"}


def test_an_input_makes_data_driven_schemes_and_predictions_possible(call):
    code, out, _ = call("plan", "small_resnet", "--scheme=lsuv", "--input=3x32x32")
    assert code == 0
    assert "second moment at the input of" in out
    code, out, _ = call("plan", GPT2, "--input=12")
    assert code == 0
    assert "a run on the meta device" in out


def test_where_nothing_was_traced_the_way_to_more_is_named(call):
    assert call("plan", "hf:vit:num_hidden_layers=1", "--meta")[1].endswith(
        "\nto trace the model, give the shape of a sample, as in --input 3x224x224\n"
    )
    code, out, _ = call("plan", "hf:vit:num_hidden_layers=1", "--meta", "--input=3x224x224")
    assert code == 0
    assert "a run on the meta device\n" in out


def test_meta_costs_no_memory(call):
    size = "hidden_size=8192:intermediate_size=28672:num_attention_heads=64"
    code, out, _ = call("plan", f"hf:llama:num_hidden_layers=2:{size}", "--meta", "--json")
    assert code == 0  # 3 GB, were they there
    assert json.loads(out)["assignments"][0]["shape"] == [32000, 8192]


def test_a_narrow_terminal_gets_lines_that_fit():
    code = f"import os; os.environ['COLUMNS'] = '60'; {PROGRAM}"
    read, write = pty.openpty()
    command = [sys.executable, "-c", code, "plan", "mlp:depth=1", "--scheme=harmonic"]
    with subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE) as process:
        os.close(write)
        drawn = b""
        try:
            while part := os.read(read, 65536):
                drawn += part
        except OSError:  # how Linux says that the other end is closed
            os.close(read)
    assert process.returncode == 0
    headline, *rows, _ = drawn.decode().split("\r\n")[:-1]
    assert headline.startswith("harmonic, seed 0; 2 weight matrices to fill")
    assert max(map(len, rows)) == 60
    assert rows[1].startswith("1.weight")
    assert rows[1].endswith("…")


def test_a_reader_who_leaves_early_is_no_error():
    command = [sys.executable, "-c", PROGRAM, "plan", "torchvision:resnet18"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_what_a_users_own_code_prints_stays_out_of_the_output(tmp_path):
    (tmp_path / "nets_that_talk.py").write_text(
        "import torch, warnings\n"
        "def build():\n"
        "    print('hello')\n"
        "    warnings.warn('beware')\n"
        "    return torch.nn.Linear(2, 3)\n"
    )
    code, out, err = start("nets_that_talk:build", "--json", cwd=tmp_path)
    assert (code, err) == (0, "hello\n")
    assert json.loads(out)["assignments"][0]["name"] == "weight"


BAD_YAML = {
    "list.yaml": "- 1\n",
    "broken.yaml": "a: [\n",
    "nothing.yaml": "nosuch.*: zero\n",
    "code.yaml": "weight: !!python/object/apply:os.getcwd []\n",
    "scheme.yaml": "'*.weight': foo\n",
    "date.yaml": "a: 2024-13-45\n",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo"], "model must be one of mlp, small_resnet, small_vit, torchvision:NAME"),
        (["torchvision:resnet19"], "torchvision has no model 'resnet19'; did you mean resnet1"),
        (["hf:bertt"], "transformers has no model 'bertt'; did you mean bert"),
        (["hf:no/such/config.json"], "hf:no/such/config.json: no such file"),
        (["no_such_module:build"], "cannot import no_such_module"),
        (["mlp:foo=1"], "unexpected keyword argument 'foo'"),
        (["mlp:depth=1:depth=2"], "option 'depth' is given twice"),
        (["torchvision:resnet18:weights=DEFAULT"], "leave out the option 'weights'"),
        (["hf:GPT2LMHeadModel:n_layers=2"], "no setting 'n_layers'; did you mean n_layer"),
        (["mlp", "--scheme=foo"], "scheme must be one of auto, "),
        (["mlp", "--scheme=auto:gain=2"], "scheme auto takes no options"),
        (["mlp", "--scheme=harmonic:foo=1"], "does not use the option 'foo'"),
        (["mlp", "--scheme=lsuv"], "looks at data: give its shape, as in --input"),
        (["mlp", "--seed=-1"], "seed must be a whole number >= 0, got -1"),
        (["mlp", "--seed=x"], "expected a whole number, got 'x'"),
        (["mlp", "--include=nosuch.*"], "include='nosuch.*' matches no parameter"),
        (["mlp", "--input=3x"], "--input must be the shape of a sample as in 3x224x224, got '3x'"),
        (["mlp", "--input=5"], "mlp cannot be run with --input 5: "),
        ([GPT2, "--input=3x12"], "one length is expected, got 3x12"),
        (["mlp", "--input=99999x99999"], "at most 500000000 numbers, got 99999x99999"),
        (["mlp", "--json", "--yaml"], "expected one of --json and --yaml, got both; leave one out"),
        (["mlp", "--overrides=none.yaml"], "cannot read none.yaml as YAML: [Errno 2]"),
        (["mlp", "--overrides=list.yaml"], "overrides takes a mapping"),
        (["mlp", "--overrides=broken.yaml"], "cannot read broken.yaml as YAML: while parsing"),
        (["mlp", "--overrides=nothing.yaml"], "overrides='nosuch.*' matches no parameter"),
        (["mlp", "--overrides=code.yaml"], "could not determine a constructor"),
        (["mlp", "--overrides=scheme.yaml"], "scheme must be one of"),
        (["mlp", "--overrides=date.yaml"], "month must be in 1..12"),
        ([], "missing argument 'model'"),
    ],
)
def test_what_is_refused_is_one_line_and_code_2(call, tmp_path, arguments, message):
    for name, text in BAD_YAML.items():
        (tmp_path / name).write_text(text)
    code, out, err = call("plan", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("firstlight: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("model", "package", "extra"),
    [
        ("hf:bert", "transformers", "hf"),
        ("timm:resnet18", "timm", "vision"),
        ("torchvision:resnet18", "torchvision", "vision"),
    ],
)
def test_a_missing_package_is_one_line_that_names_the_extra(model, package, extra):
    program = f"import sys; sys.modules[{package!r}] = None; {PROGRAM}"
    assert start(model, program=program) == (
        2,
        "",
        f"firstlight: models of {package} need {package}: pip install 'firstlight[{extra}]'\n",
    )


def test_moments_are_one_line():
    known, other = Prediction("a", "relu", 0.5), Prediction("b", "relu", 2.0)
    lost = [Prediction("c", "relu", None, reason) for reason in ("far", "near", "far")]
    head = "second moment at the input of"
    assert predicted([]) == []
    assert predicted([known, known]) == [f"{head} 2 activations: 0.5"]
    assert predicted([known, other, *lost]) == [
        f"{head} 2 activations: between 0.5 and 2; 3 cannot be predicted: far (2); near (1)"
    ]
    assert predicted(lost) == [f"{head} 3 activations: not predicted: far (2); near (1)"]
