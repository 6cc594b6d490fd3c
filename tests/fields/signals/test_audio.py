"""Audio: what is read is what is written, and bad sound is refused with one line."""

import json
import math
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.audio import AudioForm, read_audio
from firstlight.fields.signals.forms import find_form

soundfile = pytest.importorskip("soundfile")
BACH = Path(__file__).parents[4] / "shared/data/audio/gt_bach.wav"


def noise(frames, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (frames, channels)).astype(np.float32)


def truth(audio):
    """Predicts an audio's own values at its own places."""
    values = audio.train.span.scaled(audio.train.values)
    return lambda places: values[: len(places)]


def exact(samples):
    return samples.all().y


def one_line(error):
    return "\n" not in str(error.value)


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize(
    ("suffix", "subtype", "step"),
    [
        (".wav", "PCM_U8", 2**-7),
        (".wav", "PCM_16", 2**-15),
        (".wav", "PCM_24", 2**-23),
        (".wav", "PCM_32", 2**-23),
        (".wav", "FLOAT", 0),
        (".wav", "DOUBLE", 0),
        (".flac", "PCM_S8", 2**-7),
        (".flac", "PCM_16", 2**-15),
        (".flac", "PCM_24", 2**-23),
    ],
)
def test_a_file_becomes_itself_again(tmp_path, channels, suffix, subtype, step):
    path, again = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    sound = noise(100, channels)
    soundfile.write(path, sound, 8000, subtype)
    audio = read_audio(path)
    small = subtype in ("PCM_U8", "PCM_S8", "PCM_16")
    assert audio.train.values.dtype == (torch.int16 if small else torch.float32)
    assert (audio.inputs, audio.outputs, len(audio.train)) == (1, channels, 100)
    assert audio.train.all().y.abs().max() == 1
    np.testing.assert_allclose(audio.form.render(truth(audio)), sound, atol=step + 1e-7)
    assert audio.form.save(truth(audio), again) == again
    assert soundfile.info(again).subtype == subtype
    first, second = (soundfile.read(each)[0] for each in (path, again))
    np.testing.assert_allclose(second, first, atol=max(step, 1e-7))


def test_time_is_one_coordinate_from_the_first_frame_to_the_last():
    audio = read_audio(noise(4), rate=8000)
    assert audio.train.all().x.flatten().tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert audio.spacing == (0.5,)
    assert audio.form.seconds == 4 / 8000


def test_the_real_recording():
    if not BACH.exists():
        pytest.skip("no shared data")
    audio = read_audio(BACH, every=2)
    data, rate = soundfile.read(BACH, dtype="float32")
    assert (len(audio.train), len(audio.held_out)) == (math.ceil(len(data) / 2), len(data) // 2)
    np.testing.assert_array_equal(audio.train.all().y[:, 0], data[::2])
    assert (audio.form.rate, audio.form.peak, audio.form.subtype) == (rate, 1.0, "FLOAT")
    assert audio.rows().shape == (1, len(audio.train))


@pytest.mark.parametrize("every", [{"every": 3}, {"held_out": 0.25, "seed": 7}])
def test_held_out_frames_are_the_others(every):
    audio = read_audio(noise(100, 2), rate=8000, **every)
    whole = read_audio(noise(100, 2), rate=8000).train.all()
    numbers = torch.cat([audio.train.chosen, audio.held_out.chosen]).sort().values
    assert numbers.tolist() == list(range(100))
    assert torch.equal(audio.held_out.all().y, whole.y[audio.held_out.chosen.long()])
    assert len(audio.train) == (34 if "every" in every else 75)


@given(
    st.integers(1, 60),
    st.floats(0, 0.006),
    st.one_of(st.none(), st.floats(1e-3, 0.02)),
)
def test_a_part_is_what_slicing_gives(frames, start, seconds):
    sound, rate = noise(frames), 8000
    first = min(round(start * rate), frames - 1)
    last = frames if seconds is None else min(frames, first + round(seconds * rate))
    if start * rate >= frames:
        with pytest.raises(OptionError, match="past the end"):
            read_audio(sound, rate=rate, start=start, seconds=seconds)
        return
    audio = read_audio(sound, rate=rate, start=start, seconds=seconds)
    np.testing.assert_array_equal(audio.train.values, sound[first:last])


def test_a_part_of_a_file_is_a_part_of_the_array(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(800), 8000, "FLOAT")
    of_file = read_audio(tmp_path / "a.wav", start=0.01, seconds=0.02)
    np.testing.assert_array_equal(of_file.train.values, noise(800)[80:240])


def test_a_file_is_resampled_without_a_shift(tmp_path):
    def tone(rate):
        return 0.5 * np.sin(2 * np.pi * 200 * np.arange(rate // 10) / rate)

    soundfile.write(tmp_path / "a.wav", tone(16000), 16000, "PCM_16")
    audio = read_audio(tmp_path / "a.wav", rate=8000)
    assert (audio.form.rate, audio.form.length) == (8000, 800)
    inner = slice(50, -50)
    np.testing.assert_allclose(audio.train.values[inner, 0], tone(8000)[inner], atol=2e-3)


@given(st.integers(1, 40), st.integers(1, 3), st.sampled_from(["float32", "float64", "int16"]))
def test_rows_are_channels_over_time(frames, channels, dtype):
    full = 2**15 if dtype == "int16" else 1
    sound = (noise(frames, channels) * full).astype(dtype)
    audio = read_audio(sound, rate=8000)
    expected = (sound.astype(np.float64) / np.abs(sound.astype(np.float64)).max()).T
    np.testing.assert_allclose(audio.rows(), expected, rtol=0, atol=1e-6)


def test_full_scale_of_int16_is_not_lost():
    audio = read_audio(np.array([-32768, 0, 100], np.int16), rate=8000)
    assert audio.form.peak == 1.0
    assert audio.train.all().y.flatten().tolist() == [-1, 0, 100 / 32768]


@pytest.mark.parametrize("options", [{}, {"every": 2}])
def test_the_ratio_of_signal_to_noise(options):
    audio = read_audio(noise(101, 2), rate=8000, **options)
    generator = torch.Generator().manual_seed(1)

    def near(samples):
        y = samples.all().y
        return y + 0.01 * torch.randn(y.shape, generator=generator)

    found = audio.measure(near)
    generator.manual_seed(1)
    for prefix, samples in (("", audio.train), ("held_out_", audio.held_out)):
        if samples is not None:
            y = samples.all().y.double()
            error = near(samples).double() - y
            expected = 10 * math.log10(float(y.square().sum() / error.square().sum()))
            assert found[f"{prefix}snr"] == pytest.approx(expected, rel=1e-6)
    assert ("held_out_snr" in found) == bool(options)


def test_an_exact_field_is_infinitely_good_and_one_that_diverged_infinitely_bad():
    for sound in (noise(10), np.zeros(10, np.float32)):
        audio = read_audio(sound, rate=8000)
        assert audio.measure(exact) == {"psnr": math.inf, "snr": math.inf}
        bad = audio.measure(lambda samples: exact(samples) * math.nan)
        assert bad == {"psnr": -math.inf, "snr": -math.inf}


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_silence_stays_silence(dtype, tmp_path):
    audio = read_audio(np.zeros((8, 2), dtype), rate=8000)
    assert audio.form.peak == 0
    assert audio.train.all().y.abs().max() == 0
    assert audio.measure(lambda samples: exact(samples) + 0.1)["snr"] == -math.inf
    saved = audio.form.save(truth(audio), tmp_path / "a.wav")
    assert not soundfile.read(saved)[0].any()


def test_one_sample_is_a_sound(tmp_path):
    audio = read_audio(np.array([0.25], np.float32), rate=8000)
    assert audio.train.all().x.tolist() == [[0.0]]
    assert audio.rows().tolist() == [[1.0]]
    assert audio.form.render(truth(audio)).tolist() == [[0.25]]
    assert read_audio(audio.form.save(truth(audio), tmp_path / "a.wav")).form == audio.form


def wave(places):
    return torch.sin(3 * places.at(torch.arange(len(places))))


@pytest.mark.parametrize(
    ("options", "frames", "rate"),
    [
        ({}, 400, 8000),
        ({"scale": 2}, 800, 16000),
        ({"scale": 0.5}, 200, 4000),
        ({"rate": 44100}, 2205, 44100),
        ({"rate": 8000, "scale": None}, 400, 8000),
        ({"scale": 0.0013}, 1, 10),
    ],
)
def test_rendering_at_any_rate_keeps_the_duration(options, frames, rate, tmp_path):
    form = AudioForm(channels=1, rate=8000, length=400, peak=0.5, subtype="FLOAT")
    middles = (2 * np.arange(frames) + 1) / frames - 1
    expected = 0.5 * np.sin(3 * middles)
    np.testing.assert_allclose(form.render(wave, **options)[:, 0], expected, atol=1e-6)
    data, written = soundfile.read(form.save(wave, tmp_path / "a.wav", **options))
    assert (len(data), written) == (frames, rate)


def test_rendering_asks_for_a_part_at_a_time():
    form, asked = AudioForm(channels=1, rate=8000, length=2**19 + 5, peak=1.0), []

    def predict(places):
        asked.append(len(places))
        return places.at(torch.arange(len(places)))

    sound = form.render(predict)
    assert max(asked) < sum(asked) == len(sound)
    assert (np.diff(sound[:, 0]) > 0).all()


@pytest.mark.parametrize(
    ("suffix", "subtype", "written"),
    [
        (".flac", "FLOAT", "PCM_24"),
        (".flac", "PCM_U8", "PCM_16"),
        (".ogg", "PCM_16", "VORBIS"),
        (".wav", "VORBIS", "PCM_16"),
        (".WAV", "PCM_16", "PCM_16"),
    ],
)
def test_another_format_takes_the_nearest_type(suffix, subtype, written, tmp_path):
    form = AudioForm(channels=2, rate=8000, length=2000, peak=1.0, subtype=subtype)
    path = form.save(lambda places: torch.zeros(len(places), 2), tmp_path / f"a{suffix}")
    assert soundfile.info(path).subtype == written


def loud(places):
    return torch.tensor([[3.0], [-3.0]])[: len(places)]


def test_loud_values_are_clipped_where_the_type_has_no_more(tmp_path):
    for subtype, most in (("PCM_16", 1 - 2**-15), ("PCM_24", 1 - 2**-23), ("FLOAT", 3.0)):
        form = AudioForm(channels=1, rate=8000, length=2, peak=1.0, subtype=subtype)
        path = form.save(loud, tmp_path / "a.wav")
        assert soundfile.read(path)[0].tolist() == [most, -3.0 if most == 3 else -1.0]


def test_a_form_survives_json():
    form = read_audio(noise(9, 2), rate=11025).form
    assert find_form(json.loads(json.dumps(form.as_dict()))) == form


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channels", 0),
        ("channels", 2.0),
        ("channels", 1025),
        ("rate", 0),
        ("rate", True),
        ("rate", 2**31),
        ("length", -1),
        ("length", 2**24 + 1),
        ("peak", -1.0),
        ("peak", math.nan),
        ("peak", math.inf),
        ("peak", 1e31),
        ("peak", "1"),
        ("subtype", "../PCM"),
        ("subtype", 16),
        ("subtype", ""),
    ],
)
def test_a_forged_form_is_refused(field, value):
    good = {"channels": 1, "rate": 8000, "length": 4, "peak": 1.0, "subtype": "PCM_16"}
    with pytest.raises(OptionError, match=field) as error:
        AudioForm(**{**good, field: value})
    assert one_line(error)


def test_a_form_cannot_ask_for_terabytes():
    with pytest.raises(OptionError, match=r"more than 2\^26 values"):
        AudioForm(channels=1024, rate=8000, length=2**24, peak=1.0)
    form = AudioForm(channels=1, rate=8000, length=2**20, peak=1.0)
    for options in ({"scale": 1e5}, {"rate": 2**31 - 1}):
        with pytest.raises(OptionError, match=r"more than 2\^26 values"):
            form.render(wave, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0}, "scale must be a number above 0"),
        ({"scale": 1e-9}, "a rate must be 1 to"),
        ({"scale": 1e9}, "a rate must be 1 to"),
        ({"rate": 8000.5}, "rate must be a whole number"),
        ({"rate": 8000, "scale": 2}, "give one of them"),
        ({"size": 4}, "audio is rendered with scale, rate; it has no size"),
    ],
)
def test_rendering_says_what_is_wrong(options, message):
    with pytest.raises(OptionError, match=message):
        AudioForm(channels=1, rate=8000, length=4, peak=1.0).render(wave, **options)


def test_saving_says_what_is_wrong(tmp_path):
    form = AudioForm(channels=9, rate=8000, length=4, peak=1.0)

    def nine(places):
        return torch.zeros(len(places), 9)

    with pytest.raises(OptionError, match=r"saved as .wav, .flac, .ogg, not as 'a.mp5'"):
        form.save(nine, tmp_path / "a.mp5")
    with pytest.raises(FirstlightError, match="cannot write 9 channels at 8000 Hz as FLAC"):
        form.save(nine, tmp_path / "a.flac")
    with pytest.raises(FirstlightError, match="not finite"):
        form.save(lambda places: nine(places) * math.nan, tmp_path / "a.wav")
    (tmp_path / "file").write_text("")
    with pytest.raises(FirstlightError, match="cannot write"):
        form.save(nine, tmp_path / "file" / "a.wav")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("content", [b"", b"this is text, not sound\n", b"RIFF\0\0\0\0WAVE"])
def test_a_file_that_is_no_audio_is_refused(content, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(FirstlightError, match=r"cannot read .*a.wav as audio: ") as error:
        read_audio(path)
    assert one_line(error)


def test_a_file_of_no_samples_or_that_is_absent_is_refused(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 8000)
    with pytest.raises(FirstlightError, match=r"none.wav has no samples"):
        read_audio(tmp_path / "none.wav")
    for path in (tmp_path, tmp_path / "absent.wav"):
        with pytest.raises(FirstlightError, match="there is no such file"):
            read_audio(path)
    (tmp_path / "a.raw").write_bytes(bytes(64))
    with pytest.raises(FirstlightError, match="as audio"):
        read_audio(tmp_path / "a.raw")


def test_a_file_cut_off_gives_what_is_there_or_one_line(tmp_path):
    for suffix in (".wav", ".flac", ".ogg"):
        path = tmp_path / f"a{suffix}"
        soundfile.write(path, noise(3000), 8000)
        whole = path.read_bytes()
        for length in range(1, len(whole), max(1, len(whole) // 40)):
            path.write_bytes(whole[:length])
            with suppress(FirstlightError):  # and nothing else
                assert 1 <= len(read_audio(path).train) <= 3000


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e39])
def test_values_that_are_no_numbers_are_counted_and_placed(bad, tmp_path):
    sound = noise(50, 2).astype(np.float64)
    sound[[7, 9], 1] = bad
    with pytest.raises(FirstlightError, match=r"has 2 values .* the first at frame 7 of channel 1"):
        read_audio(sound, rate=8000)
    if abs(bad) != 1e39:
        soundfile.write(tmp_path / "a.wav", sound, 8000, "FLOAT")
        with pytest.raises(FirstlightError, match=r"a.wav has 2 values"):
            read_audio(tmp_path / "a.wav", rate=4000)
        assert len(read_audio(tmp_path / "a.wav", start=10 / 8000).train) == 40


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (noise(4), {}, "an array needs its rate"),
        (noise(4), {"rate": 0}, "rate must be a whole number"),
        (noise(4), {"rate": 8e3}, "rate must be a whole number"),
        (noise(4), {"rate": 8000, "start": -1}, "start must be 0 or more"),
        (noise(4), {"rate": 8000, "start": 4 / 8000}, "past the end of the array"),
        (noise(4), {"rate": 8000, "seconds": 0}, "seconds must be a number above 0"),
        (noise(4), {"rate": 8000, "seconds": 1e-9}, "less than one frame at 8000 Hz"),
        (noise(4), {"rate": 8000, "every": 2, "held_out": 0.5}, "give one of them"),
        (noise(4), {"rate": 8000, "every": 0}, "every must be a whole number"),
        (np.zeros((0, 2), np.float32), {"rate": 8000}, "the array has no samples"),
        (np.zeros((4, 0), np.float32), {"rate": 8000}, "must have the shape"),
        (np.zeros((2, 2, 2), np.float32), {"rate": 8000}, "must have the shape"),
        (np.zeros((2, 44100), np.float32), {"rate": 8000}, "must have the shape"),
        (np.float32(0.5), {"rate": 8000}, "must have the shape"),
        (np.zeros(4, np.uint8), {"rate": 8000}, "must be int16 or floats of full scale 1"),
        (np.zeros(4, complex), {"rate": 8000}, "must be int16 or floats of full scale 1"),
        ([None], {"rate": 8000}, "must be int16 or floats of full scale 1"),
        (np.broadcast_to(np.float32(0), (2**24 + 1,)), {"rate": 8000}, "that float32 time tells"),
        (np.broadcast_to(np.float32(0), (2**20, 65)), {"rate": 8000}, "more than 2\\^26 values"),
    ],
)
def test_reading_says_what_is_wrong(source, options, message):
    with pytest.raises(FirstlightError, match=message) as error:
        read_audio(source, **options)
    assert one_line(error)


def test_an_array_is_copied():
    sound = torch.from_numpy(noise(4)).requires_grad_()
    audio = read_audio(sound, rate=8000)
    audio.train.values.zero_()
    np.testing.assert_array_equal(sound.detach(), noise(4))
