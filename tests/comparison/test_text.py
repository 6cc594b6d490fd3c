from collections import Counter

import pytest
import torch

from firstlight.comparison import corpus, data, text
from firstlight.comparison.tokenizer import loaded, trained
from firstlight.errors import FirstlightError, OptionError

pytest.importorskip("tokenizers")

STORY = "the cat sat on the mat and the dog ran to the red house by the old sea"
WORDS = STORY.split()


def story(lines: int, begin: int = 0) -> str:
    """Return lines of words in an order that repeats slowly."""
    return "".join(
        " ".join(WORDS[(i * i + j) % len(WORDS)] for j in range(12)) + "\n"
        for i in range(begin, begin + lines)
    )


@pytest.fixture
def folder(tmp_path):
    for name, lines in (("train", 60), ("valid", 30), ("test", 20)):
        (tmp_path / f"a-{name}.txt").write_text(story(lines), encoding="utf-8")
    return tmp_path


def test_a_word_is_its_longest_known_pieces():
    pieces = trained(story(50), 60)
    names = {number: name for name, number in pieces._pieces.get_vocab().items()}
    for word in ("House", "seaside", "mat"):
        rest, expected = word.lower(), []
        while rest:
            begin = "##" if expected else ""
            known = [end for end in range(len(rest), 0, -1) if begin + rest[:end] in names.values()]
            if not known:
                expected = ["[UNK]"]
                break
            expected.append(begin + rest[: known[0]])
            rest = rest[known[0] :]
        assert [names[number] for number in pieces.encode(word).tolist()] == expected


def test_the_vocabulary_is_the_same_every_time():
    # the library's own trainer gives another one each time, even in one process
    learned = story(300).replace("sea", "säää!?") + "unusual * letters"
    first = trained(learned, 70)._pieces.get_vocab()
    assert len(first) == 70
    assert all(trained(learned, 70)._pieces.get_vocab() == first for _ in range(4))


def test_unknown_words_of_wikitext_are_no_words():
    pieces = trained("one <unk> two <unk> three\n" * 9, 60)
    assert pieces.encode("one <unk> <unk>").tolist()[1:] == [1, 1]
    assert not {"<", "un", "unk", "##nk"} & set(pieces._pieces.get_vocab())


def test_rows_hold_the_text_in_its_order(folder):
    found = text.load(f"text:{folder}/a-train.txt:context=10", folder)
    pieces = trained((folder / "a-train.txt").read_text()[: len(story(54))])
    whole = pieces.encode((folder / "a-train.txt").read_text()[: len(story(54))]).tolist()
    assert found.train[:, 0].unique().tolist() == [2]
    assert found.train[:, -1].unique().tolist() == [3]
    packed = found.train[:, 1:-1].flatten().tolist()
    assert packed == whole[: len(packed)]
    assert len(whole) - len(packed) < 8


@pytest.mark.parametrize(
    ("pattern", "learn", "judge"),
    [
        ("a-*.txt", "train", "test"),
        ("a-[tv]*[nd].txt", "train", "valid"),
        ("a-[vt][ae][ls]*.txt", "valid", "test"),
    ],
)
def test_names_say_which_file_judges(folder, pattern, learn, judge):
    source = corpus.Source.of(f"text:{folder}/{pattern}")
    parts = (folder / f"a-{part}.txt" for part in (learn, judge))
    assert corpus.read(source, folder) == tuple(part.read_text() for part in parts)


def test_one_file_is_cut_between_lines(folder):
    learned, judged = corpus.read(corpus.Source.of(f"text:{folder}/a-train.txt"), folder)
    assert learned + judged == (folder / "a-train.txt").read_text()
    assert learned.endswith("\n")
    assert len(learned) / len(learned + judged) == pytest.approx(0.9, abs=0.02)


def test_what_judges_has_no_say_in_the_vocabulary(folder):
    name = f"text:{folder}/a-t*.txt:context=10"
    before = text.load(name, folder)
    (folder / "a-test.txt").write_text("quite other words, which nobody has read\n" * 9)
    after = text.load(name, folder)
    assert before.vocabulary == after.vocabulary
    assert torch.equal(before.train, after.train)
    assert before.fingerprint != after.fingerprint


def test_a_part_is_a_fixed_choice_and_tuning_never_sees_what_judges(folder):
    whole = text.load(f"text:{folder}/a-t*.txt:context=10", folder)
    part = whole.select(30, held_out=True)
    assert (len(part.train), len(part.test)) == (27, 3)
    rows = Counter(tuple(row) for row in whole.train.tolist())
    chosen = Counter(tuple(row) for row in torch.cat([part.train, part.test]).tolist())
    assert chosen <= rows
    assert part is whole.select(30, held_out=True)
    assert torch.equal(whole.select(30, held_out=False).train, torch.cat([part.train, part.test]))
    assert whole.select(None, held_out=False) is whole


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text:", "data must be text:PATH or wikitext2, got 'text:'"),
        ("wikitext2:x", "data must be text:PATH or wikitext2"),
        ("text:a:words=3", "options of a text are vocabulary, context and tokenizer, got 'words'"),
        ("text:a:context=7", "context must be a whole number from 8 to 4096, got 7"),
        ("wikitext2:vocabulary=1e3", "vocabulary must be a whole number .* got 1000.0"),
        ("text:a:tokenizer=7", "tokenizer must be a name, got 7"),
        ("text:a:tokenizer=b:vocabulary=99", "tokenizer brings a vocabulary"),
        ("text:a:context=9:context=9", "given twice"),
    ],
)
def test_a_wrong_name_is_one_clear_line(name, message):
    with pytest.raises(OptionError, match=message) as caught:
        data.check(name)
    assert "\n" not in str(caught.value)


@pytest.fixture
def offline(monkeypatch):
    """Ask the hub for nothing: it is asked again and again where it does not answer."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def test_texts_that_cannot_be_used_are_refused(folder, offline):
    def refused(name, message):
        with pytest.raises(FirstlightError, match=message) as caught:
            data.load_any(f"text:{folder}/{name}", folder)
        assert "\n" not in str(caught.value)

    refused("b*.txt", "no file matches")
    refused("a-train.txt:vocabulary=20", "vocabulary must be at least .* different characters")
    refused("a-train.txt:context=4000", "its training text is too short for one row of 4000")
    refused("a-train.txt:tokenizer=no/such-one", "tokenizer 'no/such-one' cannot be loaded: .*")
    (folder / "a-other.txt").write_text("x")
    (folder / "a-trained.txt").write_text("x")
    refused("a-*.txt", "must match one file, or one with 'train' or 'valid' and one with 'test'")
    (folder / "bad.txt").write_bytes(b"abc\xff\xfe")
    refused("bad.txt", "must be UTF-8: .*, byte 3")


def test_a_text_is_no_picture(folder):
    with pytest.raises(OptionError, match=r"images are needed here, text:.* is a text"):
        data.load(f"text:{folder}/a-train.txt")


def test_wikitext_out_of_reach_names_what_is_at_hand(tmp_path, offline):
    with pytest.raises(
        FirstlightError, match=r"wikitext2 could not be .*at hand is text:PATH"
    ) as e:
        data.load_any("wikitext2", tmp_path)
    assert "\n" not in str(e.value)


def test_a_file_that_changed_is_another_text(folder):
    name = f"text:{folder}/a-t*.txt:context=10"
    assert data.is_file(name)
    before = data.file_fingerprint(name)
    assert data.file_fingerprint(f"{name}:vocabulary=99") == before
    (folder / "a-test.txt").write_text(story(21))
    assert data.file_fingerprint(name) != before
    assert data.file_fingerprint("wikitext2") == ""


def test_a_text_of_one_paragraph_is_cut_within_it(tmp_path):
    (tmp_path / "one.txt").write_text("to be or not to be " * 100 + "\n")
    found = text.load(f"text:{tmp_path}/one.txt:context=8:vocabulary=100", tmp_path)
    assert len(found.train) > 5 * len(found.test) > 0


def test_anothers_tokenizer_neither_cuts_nor_fills_lines(tmp_path):
    transformers = pytest.importorskip("transformers")
    pieces = trained("to be or not to be that is the question", 100)._pieces
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    special |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=pieces, **special)
    fast.backend_tokenizer.enable_truncation(4)
    fast.backend_tokenizer.enable_padding(length=32)
    fast.save_pretrained(tmp_path / "pieces")
    found = loaded(str(tmp_path / "pieces"))
    assert len(found.encode("to be or not to be that is the question")) == 10


def test_a_tokenizer_that_changed_makes_another_text(tmp_path):
    (tmp_path / "a.txt").write_text("to be or not to be\n" * 9)
    (tmp_path / "pieces").mkdir()
    (tmp_path / "pieces/tokenizer.json").write_text("{}")
    name = f"text:{tmp_path}/a.txt:tokenizer={tmp_path}/pieces"
    before = data.file_fingerprint(name)
    (tmp_path / "pieces/tokenizer.json").write_text("{ }")
    assert data.file_fingerprint(name) != before
