import importlib.util
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import firstlight
from firstlight.comparison.batches import first
from firstlight.comparison.data import load
from firstlight.comparison.models import factory
from firstlight.comparison.seeded import seeded

PROGRAM = "from firstlight.cli import main; main()"
GPT2 = "hf:GPT2LMHeadModel:n_layer=1:n_embd=32:n_head=2:vocab_size=64"
VIT = "hf:ViTForImageClassification:num_hidden_layers=1:hidden_size=32:intermediate_size=32"
VIT += ":num_attention_heads=2:patch_size=4"
OWN = """
import sys
import torch
from torch import nn

def three(in_channels, image_size, classes):
    print("hello")
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size[0] ** 2, classes))

def none():
    return nn.Sequential(nn.Linear(7, 64), nn.Tanh(), nn.Linear(64, 1))

def ramp():
    return nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 1))

def pair(): return torch.randn(32, 7), torch.randn(32, 1)
def inputs(): return torch.randn(32, 7)
def loud(): return 20 * torch.randn(32, 7)
def number(): return 3
def exits(): sys.exit(7)
def wrong(): return torch.randn(32, 5)
def huber(output, targets): return nn.functional.huber_loss(output, targets)
"""


def command(*arguments, program=PROGRAM):
    return [sys.executable, "-c", program, "audit", *arguments]


def start(*arguments, program=PROGRAM, **options):
    """Run a real ``firstlight audit``: exit code, stdout, stderr."""
    process = subprocess.run(
        command(*arguments, program=program),
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        **options,
    )
    return process.returncode, process.stdout, process.stderr


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Put the user's own module into the folder of the call; return its name."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = "mine_" + re.sub(r"\W", "_", tmp_path.name)
    (tmp_path / f"{name}.py").write_text(OWN)
    yield name
    sys.modules.pop(name, None)


def test_the_text_in_a_pipe_is_the_librarys_then_a_table(call):
    code, out, err = call("audit", "mlp:depth=2", "--seed=3")
    assert (code, err) == (0, "")
    first_line, *lines = out.splitlines()
    assert first_line == (
        "mlp:depth=2, default start; "
        "batch: 64 training images of digits, 1x8x8, 10 classes, normalised"
    )
    with seeded(3):
        model = factory("mlp")(1, (8, 8), 10, depth=2)
    expected = str(firstlight.audit(model, first(load("digits"), 3, 64))).splitlines()
    assert lines[: len(expected)] == expected
    table = lines[len(expected) + 1 :]
    assert table[1].split()[:4] == ["layer", "shape", "rms", "rank"]
    assert [line.split()[0] for line in table[3:6]] == ["1", "3", "5"]
    assert "256×64" in table[3]  # noqa: RUF001


def test_a_run_of_a_comparison_starts_from_what_is_audited(call):
    _, out, _ = call("audit", "small_resnet", "--scheme=he_normal", "--seed=1", "--json")
    with seeded(1):
        model = factory("small_resnet")(1, (8, 8), 10)
    firstlight.initialize(model, "he_normal", seed=1)
    expected = firstlight.audit(model, first(load("digits"), 1, 64))
    assert json.loads(out) == json.loads(expected.to_json())


@pytest.mark.parametrize(
    ("model", "about"),
    [
        ("timm:resnet10t", "16 standard normal samples of 3x176x176, random labels: no real data"),
        (GPT2, "8 random texts of 128 tokens, the tokens as labels: no real data"),
    ],
)
def test_others_models_just_work_without_a_word_on_stderr(model, about):
    code, out, err = start(model)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"{model}, default start; batch: {about}"
    assert "loss at step 0 (" in out
    assert ", uninformed " in out


def test_an_input_is_what_ours_are_built_for(call):
    code, out, _ = call("audit", "mlp", "--input=2x5x6", "--batch-size=9")
    assert code == 0
    assert "batch: 9 standard normal samples of 2x5x6, random labels: no real data\n" in out
    assert "256×60" in out  # noqa: RUF001
    assert call("audit", "mlp", "--data=digits", "--input=1x8x8")[0] == 0


@pytest.mark.parametrize(
    ("model", "loss"),
    [("timm:resnet10t", "cross_entropy"), (VIT, "the model's own loss")],
)
def test_others_models_are_built_for_the_data(call, model, loss):
    code, out, _ = call("audit", model, "--data=digits", "--batch-size=16", "--json")
    found = json.loads(out)["output"]
    assert code == 0
    assert found["shape"] == [16, 10]
    assert (found["loss_name"], found["classes"]) == (loss, 10)


def test_a_loss_that_is_named_is_taken_for_a_model_with_its_own(call):
    _, out, _ = call("audit", VIT, "--data=digits", "--loss=cross_entropy", "--json")
    assert json.loads(out)["output"]["loss_name"] == "cross_entropy"


def encoded(colour):
    content = io.BytesIO()
    Image.fromarray(np.full((6, 5, 3), colour, np.uint8)).save(content, "PNG")
    return content.getvalue()


def test_the_users_own_images_come_from_parquet(call, tmp_path):
    table = {"image": [encoded(3 * i) for i in range(40)], "label": [i % 4 for i in range(40)]}
    pq.write_table(pa.table(table), tmp_path / "mine.parquet")
    code, out, _ = call("audit", "mlp", "--data=parquet:mine.parquet")
    assert code in (0, 1)  # grey images look alike
    assert "32 training images of parquet:mine.parquet, 3x6x5, 4 classes, normalised" in out


def test_the_users_own_code_makes_model_batch_and_loss(call, own):
    code, out, err = call("audit", f"{own}:three", "--data=digits")
    assert (code, err) == (0, "hello\n")
    code, out, _ = call(
        "audit", f"{own}:none", f"--data={own}:pair", f"--loss={own}:huber", "--json"
    )
    assert code == 0
    assert json.loads(out)["output"]["loss_name"] == "huber"
    code, out, _ = call("audit", f"{own}:none", f"--data={own}:inputs")
    assert "gradients of a random direction of the output, as no loss was given" in out
    _, out, _ = call("audit", f"{own}:none", "--input=7", "--loss=mse")
    assert "64 standard normal samples of 7, random targets: no real data" in out
    assert "loss at step 0 (mse_loss): " in out


def test_schemes_stand_side_by_side(call):
    code, out, err = call("audit", "mlp:depth=1", "--compare=default, sinusoidal,harmonic:gain=1.0")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0] == "mlp:depth=1 under 3 schemes"
    assert lines[3].split() == ["harmonic:"]
    assert lines[4].split() == ["default", "sinusoidal", "gain=1.0"]
    assert re.search(r"^twin rows +✓ ok \S+ +✗ fail \S+ +✓ ok \S+$", out, re.MULTILINE)
    assert re.search(r"^loss at step 0 +[\d.]+ +[\d.]+ +[\d.]+$", out, re.MULTILINE)
    assert re.search(r"^sinusoidal: ✗ \d failures?", out, re.MULTILINE)
    assert re.search(r"^  failure: twin rows: in 1.weight, ", out, re.MULTILINE)


def test_json_holds_one_audit_or_one_of_each_scheme(call):
    code, out, err = call("audit", "mlp:depth=1", "--compare=default,zero", "--json", "--jacobian")
    assert err == "Batch: 64 training images of digits, 1x8x8, 10 classes, normalised\n"
    found = json.loads(out)
    assert list(found) == ["default", "zero"]
    assert code == (1 if "failure" in {one["level"] for one in found.values()} else 0)
    assert all(one["jacobian"]["samples"] for one in found.values())
    assert all(one["kernel"] is None for one in found.values())
    assert list(json.loads(call("audit", "mlp:depth=1", "--compare=zero", "--json")[1])) == ["zero"]


def test_the_exit_code_serves_ci(call, own):
    loud = ["audit", f"{own}:ramp", f"--data={own}:loud"]
    assert call("audit", "mlp", "--strict")[0] == 0
    assert call("audit", "mlp", "--scheme=sinusoidal")[0] == 1
    code, out, _ = call(*loud)
    assert "warning: input scale" in out
    assert "failure: " not in out
    assert code == 0
    assert call(*loud, "--strict")[0] == 1
    assert call(*loud, "--strict", "--json")[0] == 1


def test_kernel_and_jacobian_are_a_line_each(call):
    _, out, _ = call("audit", "mlp:depth=1", "--batch-size=4", "--ntk", "--jacobian")
    assert re.search(r"^tangent kernel: condition \S+, effective rank ", out, re.MULTILINE)
    assert re.search(r"^input-output Jacobian: singular values \S+ to ", out, re.MULTILINE)


def test_a_report_is_written_only_where_it_is_wanted(call, tmp_path):
    assert call("audit", "mlp:depth=1")[0] == 0
    assert list(tmp_path.iterdir()) == []
    arguments = ["audit", "mlp:depth=1", "--compare=default,harmonic", "--out=new folder"]
    code, out, _ = call(*arguments)
    assert code == 0
    assert out.endswith("\nReport: new folder/report.html\n")
    page = (tmp_path / "new folder" / "report.html").read_text()
    assert "firstlight audit mlp:depth=1 --compare=default,harmonic" in page
    code, out, err = call("audit", "mlp:depth=1", "--out=other", "--json")
    assert json.loads(out)
    assert err.endswith("\nReport: other/report.html\n")


REFUSED = [
    (["foo"], "model must be one of mlp, small_resnet, small_vit, torchvision:NAME"),
    (["foo", "--data=digits"], "model must be one of mlp, small_resnet, small_vit"),
    (["torchvision:resnet19"], "torchvision has no model 'resnet19'; did you mean resnet1"),
    (["hf:bertt", "--data=digits"], "transformers has no model 'bertt'"),
    (["no_such_module:build"], "cannot import no_such_module"),
    (["mlp:foo=1"], "model mlp:foo=1 cannot be built: TypeError: "),
    (["mlp:foo=1", "--input=3x8x8"], "model mlp:foo=1 cannot be built: TypeError: "),
    (["timm:resnet18:pretrained=True", "--data=digits"], "only untrained models are built"),
    (["mlp", "--data=foo"], "data must be one of digits, cifar10, "),
    (["mlp", "--data=foo"], "text:PATH, random, module:factory; got 'foo'"),
    (["mlp", "--data="], "data must be one of digits"),
    (["mlp", "--data=no_such_module:batch"], "data no_such_module:batch: cannot import"),
    (["mlp", "--data=math:no_such_name"], "data math:no_such_name: "),
    (["mlp", "--data=parquet:none.parquet"], "parquet: no file matches 'none.parquet'"),
    (["mlp", "--data=parquet:text.parquet"], "text.parquet cannot be read as parquet"),
    (["mlp", "--scheme=foo"], "scheme must be one of default, auto, "),
    (["mlp", "--scheme="], "scheme must be one of default, auto, "),
    (["mlp", "--scheme=default:gain=1"], "scheme default takes no options"),
    (["mlp", "--scheme=harmonic:foo=1"], "does not use the option 'foo'"),
    (["mlp", "--scheme=harmonic:mode=foo"], "harmonic:mode=foo: "),
    (["mlp", "--compare=default,foo"], "scheme must be one of default, auto, "),
    (["mlp", "--compare=zero,zero"], "schemes must differ from each other, got 'zero' twice"),
    (["mlp", "--compare="], "scheme must be one of default, auto, "),
    (["mlp", "--compare=zero", "--scheme=zero"], "one of --scheme and --compare, got both"),
    (["mlp", "--loss=foo"], "loss must be one of cross_entropy, mse, l1, bce_with_logits, mod"),
    (["mlp", "--loss=no_such_module:f"], "loss no_such_module:f: cannot import"),
    (["mlp", "--loss=mse"], "output and targets must have one shape"),
    (["mlp", "--batch-size=0"], "--batch-size must be a whole number above 0, got 0"),
    (["mlp", "--batch-size=x"], "expected a whole number, got 'x'"),
    (["mlp", "--batch-size=9999"], "--batch-size must be at most 1437 for digits, got 9999"),
    (["mlp", "--seed=-1"], "--seed must be a whole number from 0 to 4294967295, got -1"),
    (["mlp", "--input=3x"], "--input must be the shape of a sample as in 3x224x224, got '3x'"),
    (["mlp", "--input=99999x99999"], "a sample must have at most "),
    (["mlp", "--data=digits", "--input=3x64x64"], "--input 3x64x64 does not fit --data digits"),
    (["torchvision:resnet18", "--data=digits"], "takes images of 3 channels, the data has 1"),
    (["timm:resnet10t", "--input=5"], "timm:resnet10t on 64 standard normal samples of 5: "),
    (["mlp", "--input=5"], "the model cannot be run on the batch: "),
    ([GPT2, "--data=digits"], "takes input_ids, --data are images; leave --data out"),
    ([GPT2, "--input=3x12"], "one length is expected, got 3x12"),
    (["mlp", "--out="], "'--out': expected the name of a folder, got ''"),
    (["mlp", "--out=text.parquet"], "--out must be a folder, got the file text.parquet"),
    ([], "missing argument 'model'"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_is_refused_is_one_line_and_code_2_and_nothing_written(
    call, tmp_path, arguments, message
):
    (tmp_path / "text.parquet").write_text("no parquet")
    code, out, err = call("audit", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("firstlight: ")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["text.parquet"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}:none"], "nothing says what {}:none looks at: give --data, or the shape"),
        (["{}:none", "--data={}:number"], "data {}:number must return a batch, which is a tensor"),
        (["{}:none", "--data={}:exits"], "data {}:exits cannot be made: SystemExit: 7"),
        (["{}:none", "--data={}:none"], "data {}:none must return a batch"),
        (["{}:none", "--data={}:pair", "--input=7"], "--input is not used: {}:pair returns"),
        (["{}:none", "--data={}:pair", "--batch-size=2"], "--batch-size is not used: {}:pair"),
        (["{}:none", "--data={}:wrong"], "{}:none on that of {}:wrong: the model cannot be run"),
        (["{}:pair", "--input=7"], "model {}:pair: expected a torch.nn.Module"),
        (["{}:exits", "--input=7"], "model {}:exits cannot be built: SystemExit: 7"),
    ],
)
def test_own_code_that_cannot_be_used_is_one_line_and_code_2(call, own, arguments, message):
    code, out, err = call("audit", *(argument.format(own) for argument in arguments))
    assert (code, out) == (2, "")
    assert message.replace("{}", own) in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [(["mlp"], "--data digits"), (["mlp", "--input=3x8x8", "--out=new"], "--out")],
)
def test_missing_packages_are_one_line_that_names_the_extra(call, monkeypatch, arguments, what):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "sklearn" else real(name)
    )
    message = f"firstlight: {what} needs sklearn: pip install 'firstlight[compare]'\n"
    assert call("audit", *arguments) == (2, "", message)


def test_samples_by_chance_need_no_extra():
    gone = ("accelerate", "jinja2", "matplotlib", "pandas", "plotly", "pyarrow", "sklearn")
    block = "; ".join(f"sys.modules[{name!r}] = None" for name in gone)
    code, out, err = start("mlp", "--data=random", program=f"import sys; {block}; {PROGRAM}")
    assert (code, err) == (0, "")
    assert "64 standard normal samples of 3x32x32, random labels: no real data" in out


@pytest.mark.parametrize(
    "arguments", [["mlp", "--scheme=harmonic"], ["mlp", "--compare=zero,lsuv"]]
)
def test_a_narrow_terminal_gets_lines_that_fit(arguments):
    code = f"import os; os.environ['COLUMNS'] = '60'; {PROGRAM}"
    read, write = pty.openpty()
    with subprocess.Popen(
        command(*arguments, program=code), stdout=write, stderr=subprocess.PIPE
    ) as process:
        os.close(write)
        drawn = b""
        try:
            while part := os.read(read, 65536):
                drawn += part
        except OSError:  # how Linux says that the other end is closed
            os.close(read)
        assert process.stderr.read() == b""
    lines = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", drawn.decode()).split("\r\n")
    assert max(map(len, lines)) <= 60
    assert any("✓ ok" in line for line in lines)
    assert "batch: 64 training images of digits, 1x8x8, 10 classes, " in lines


def test_a_reader_who_leaves_early_is_no_error():
    with subprocess.Popen(
        command("mlp", "--input=3x8x8"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_letters_are_enough():
    environment = {"PYTHONIOENCODING": "ascii", "OMP_NUM_THREADS": "1"}
    made = subprocess.run(
        command("mlp", "--input=3x8x8", "--compare=default,sinusoidal"),
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (1, b"")
    text = made.stdout.decode("ascii")
    assert "\\" not in text
    assert "x fail" in text
    assert ". ok" in text


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
def test_ctrl_c_is_one_line_and_code_130(tmp_path):
    (tmp_path / "net_that_waits.py").write_text(
        "import sys, time\ndef build():\n    print('built', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        command("net_that_waits:build", "--input=7", "--out=new"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr.readline() == "built\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "firstlight: stopped\n")
    assert not (tmp_path / "new").exists()


def test_a_full_disk_is_one_line(call, monkeypatch):
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    code, _, err = call("audit", "mlp:depth=1", "--input=3x8x8")
    assert (code, err) == (2, "firstlight: cannot print the audit: No space left on device\n")
