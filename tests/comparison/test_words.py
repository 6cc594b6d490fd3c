import random

import pytest
import torch
from torch.nn.functional import cross_entropy

import firstlight
from firstlight import report
from firstlight.comparison import text
from firstlight.comparison.batches import order
from firstlight.comparison.masking import draw
from firstlight.comparison.start import start
from firstlight.comparison.task import task
from firstlight.comparison.train import train
from firstlight.errors import FirstlightError, OptionError

pytest.importorskip("transformers")

MODEL = "bert_mini:layers=1:width=32:heads=2"
HF = "hf:BertForMaskedLM:num_hidden_layers=1:hidden_size=32:num_attention_heads=2"


@pytest.fixture(scope="module")
def name(tmp_path_factory):
    """A text that is easy to foretell: each line says one of four things."""
    lines = ["the cat sat on a mat", "one two three four five", "red green blue", "do re mi fa so"]
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_text("\n".join(random.Random(0).choices(lines, k=1500)))
    return f"text:{path}:context=16"


@pytest.fixture(scope="module")
def words(name, tmp_path_factory):
    return text.load(name, tmp_path_factory.mktemp("root"))


@pytest.fixture
def asked(spec, name):
    return lambda **changes: spec(
        **{"model": MODEL, "data": name, "batch_size": 16, "train_size": None} | changes
    )


@pytest.mark.parametrize("model", [MODEL, HF])
def test_training_is_the_plain_loop(words, asked, model):
    run = asked(model=model, scheme="he_normal", epochs=2, train_size=40)
    result = train(run, words)
    network, rows = start(run, words), words.select(40, held_out=False).train
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=1e-3)
    test = draw(words.test, words.vocabulary, 1_000_003)
    torch.manual_seed(0)  # dropout

    def loss_of(tokens, masks, chosen):
        hidden = tokens.long().scatter(1, masks.places[chosen].long(), masks.written[chosen].long())
        logits = network(hidden)
        logits = getattr(logits, "logits", logits)
        labels = torch.full_like(hidden, -100)
        places = masks.places[chosen].long()
        labels.scatter_(1, places, tokens.long().gather(1, places))
        right = (logits.argmax(2) == labels).sum().item()
        return cross_entropy(logits.flatten(0, 1), labels.flatten()), right

    for epoch in range(2):
        masks, losses = draw(rows, words.vocabulary, 0, epoch, 1), []
        network.train()
        for chosen in order(0, epoch, 40).split(16):
            optimizer.zero_grad()
            loss, _ = loss_of(rows[chosen], masks, chosen)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        network.eval()
        with torch.no_grad():
            loss, right = loss_of(words.test, test, torch.arange(len(words.test)))
        assert result.train_loss[epoch] == pytest.approx(sum(losses) / len(losses), rel=1e-4)
        assert result.loss[epoch] == pytest.approx(loss.item(), rel=1e-4)
        assert result.accuracy[epoch] == pytest.approx(right / test.places.numel(), abs=2e-3)


def test_a_small_bert_learns(words, asked):
    wider = MODEL.replace("32", "64")
    result = train(asked(model=wider, scheme="glorot_normal", epochs=15, batch_size=8), words)
    assert result.status == "ok", result.reason
    assert result.accuracy[-1] > 0.6  # one word of eighteen is as frequent as another
    assert result.accuracy[0] < 0.2


def test_the_same_run_gives_the_same_numbers(words, asked):
    one, two, other = (train(asked(epochs=2, seed=seed), words) for seed in (0, 0, 1))
    assert (one.accuracy, one.loss, one.train_loss) == (two.accuracy, two.loss, two.train_loss)
    assert one.loss != other.loss


def test_epochs_hide_other_words_and_judges_hide_the_same(words):
    learned = task(words)
    epochs = [torch.cat([x[0] for x, _ in learned.training(0, e, 16)]) for e in (0, 0, 1)]
    assert torch.equal(epochs[0], epochs[1])
    assert epochs[0].shape == epochs[2].shape == words.train.shape
    hidden = [
        (e == words.vocabulary.mask).sum(1)[order(0, i, len(e)).argsort()]
        for i, e in ((0, epochs[0]), (1, epochs[2]))
    ]
    assert not torch.equal(*hidden)
    judged = [torch.cat([x[0] for x, _ in task(words).judging(size)]) for size in (7, 16)]
    assert torch.equal(*judged)


@pytest.mark.parametrize("matched", [False, True])
@pytest.mark.parametrize("scheme", ["default", "sinusoidal", "harmonic", "orthogonal", "lsuv"])
def test_every_start_keeps_tables_ties_and_norms(words, asked, scheme, matched):
    network = start(asked(scheme=scheme, match_variance=matched), words)
    usual = start(asked(), words)
    decoder, table = network.get_output_embeddings(), network.get_input_embeddings()
    assert decoder.weight is table.weight
    assert torch.equal(table.weight, usual.get_input_embeddings().weight)
    norms = [m for m in network.modules() if isinstance(m, torch.nn.LayerNorm)]
    assert norms
    assert all((n.weight == 1).all() and not n.bias.any() for n in norms)
    query = network.bert.encoder.layer[0].attention.self.query.weight
    mean_square = query.square().mean().item() * query.shape[1]
    if matched:
        assert mean_square == pytest.approx(2, rel=1e-4)
    elif scheme != "default":
        assert not torch.equal(query, usual.bert.encoder.layer[0].attention.self.query.weight)


def test_places_are_the_same_predictions_as_all(words, asked):
    network = start(asked(), words).eval()
    (tokens, places), _ = next(task(words).training(0, 0, 8))
    with torch.no_grad():
        whole, chosen = network(tokens), network(tokens, places)
    torch.testing.assert_close(whole[torch.arange(8)[:, None], places], chosen)


def test_a_comparison_has_its_table_its_report_and_goes_on(name, tmp_path, recorder):
    options = {
        "model": MODEL,
        "data": name,
        "optimizers": "adamw",
        "schemes": ["default", "sinusoidal"],
        "seeds": 2,
        "epochs": 1,
        "batch_size": 16,
        "tune_lr": True,
        "train_size": 60,
    }
    first = firstlight.compare(**options, out=tmp_path)
    assert [run.status for run in (*first.results, *first.tuning)] == ["ok"] * (4 + 10)
    assert first.summary()["scheme"].tolist() == ["default", "sinusoidal"]
    assert report.table(first) is not None
    assert (tmp_path / "report.html").exists() or report.write(first, tmp_path)
    again = firstlight.compare(**options, out=tmp_path, progress=recorder)
    assert (again.results, recorder.trained) == (first.results, [])


@pytest.mark.parametrize(
    ("model", "data", "message"),
    [
        ("bert_mini", "digits", "bert_mini reads texts, digits holds images: give wikitext2 or"),
        (HF, "cifar10", f"{HF} reads texts, cifar10 holds images"),
        ("mlp", "wikitext2", "mlp sees images, wikitext2 is a text: give bert_mini, hf:NAME or"),
        ("timm:resnet10t", "text:nowhere", "timm:resnet10t sees images, text:nowhere is a text"),
        ("hf:bertt", "text:nowhere", "transformers has no model 'bertt'"),
        ("bert_mini", "text:nowhere", "no file matches 'nowhere'"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(model, data, message):
    with pytest.raises(FirstlightError, match=message) as caught:
        firstlight.compare(model, data, "adamw", ["default"], seeds=1, epochs=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("hf:BertModel:num_hidden_layers=1", r"must return logits \(2, 16, "),
        ("hf:BertForMaskedLM:max_position_embeddings=8", "cannot take the rows of"),
        ("bert_mini:depth=3", "cannot be built: TypeError: .*'depth'"),
        ("bert_mini:width=30:heads=4", "cannot be built: ValueError"),
    ],
)
def test_a_network_that_does_not_fit_the_text_is_refused(name, model, message):
    with pytest.raises(OptionError, match=message):
        firstlight.compare(model, name, "adamw", ["default"], seeds=1, epochs=1)


OWN = """
from torch import nn

def build(vocabulary, context):
    return nn.Sequential(nn.Embedding(vocabulary, 16), nn.Linear(16, 16), nn.Linear(16, vocabulary))

def broken(vocabulary, context):
    raise RuntimeError("no idea")
"""


def test_a_users_own_network_may_read_a_text(name, user_module):
    user_module("own_words", OWN)
    options = {"seeds": 1, "epochs": 1, "train_size": 40}
    found = firstlight.compare("own_words:build", name, "adamw", ["default", "lsuv"], **options)
    assert [run.status for run in found.results] == ["ok", "ok"]
    failed = firstlight.compare("own_words:broken", name, "adamw", ["default"], **options)
    assert failed.results[0].reason == "RuntimeError: no idea (own_words.py:8)"
