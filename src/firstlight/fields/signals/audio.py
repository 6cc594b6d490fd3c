"""Audio: PCM and float files of any number of channels, and back at any rate."""

import re
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import FirstlightError, OptionError, not_negative, positive, whole_number
from firstlight.fields.signals.gridded import Gridded
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.samples import Samples, Span, held_out_of
from firstlight.fields.signals.signal import (
    Form,
    Predict,
    PredictSamples,
    chosen_places,
    decibels,
    options_of,
)
from firstlight.fields.signals.slabs import rendered
from firstlight.fields.signals.sound import (
    MOST_CHANNELS,
    MOST_FRAMES,
    check_size,
    sound_of_array,
    sound_of_file,
    whole_rate,
)
from firstlight.files import write_atomically

_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
#: Types with more digits than 16 bits.
_DEEP = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
#: Frames that are written at once; Vorbis needs stack for each of them.
_WRITTEN = 2**14
#: Samples that are added up at once.
_AT_ONCE = 2**18


@dataclass(frozen=True)
class AudioForm(Form):
    """How long a sound is and how its values are stored.

    Attributes:
        channels: 1 to 1024.
        rate: frames a second.
        length: number of frames.
        peak: the largest magnitude, which becomes 1; 1 is full scale.
        subtype: libsndfile's name of the values' type, such as "PCM_16" or "FLOAT".

    Raises:
        OptionError: a number is out of its range.

    Example:
        >>> form = AudioForm(channels=1, rate=8000, length=4, peak=0.5, subtype="PCM_16")
        >>> form.render(lambda places: places.at(torch.arange(len(places)))).tolist()
        [[-0.375], [-0.125], [0.125], [0.375]]
    """

    kind = "audio"
    suffix = ".wav"

    channels: int
    rate: int
    length: int
    peak: float
    subtype: str = "PCM_16"

    def __post_init__(self) -> None:
        most = {"channels": MOST_CHANNELS, "rate": 2**31 - 1, "length": MOST_FRAMES}
        for name, limit in most.items():
            whole_number(getattr(self, name), name, 1, limit)
        check_size(self.length, self.channels)
        if not_negative(self.peak, "peak") > 1e30:
            raise OptionError(f"peak must be a number of 0 to 1e30, got {self.peak!r}")
        if not isinstance(self.subtype, str) or not re.fullmatch(r"[A-Z0-9_]{1,32}", self.subtype):
            raise OptionError(f"subtype must be a name such as PCM_16, got {self.subtype!r}")

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.length / self.rate

    @property
    def span(self) -> Span:
        """Symmetric, so that silence is 0."""
        return Span(-self.peak, self.peak)

    def render(self, predict: Predict, **options: Any) -> np.ndarray:
        """Sound, (frames, channels), float32, of the same duration at any rate.

        Args:
            predict: values of the field at places.
            options: ``rate`` in frames a second, or ``scale``, a factor of the own one.

        Raises:
            OptionError: an option is unknown or out of range, or the sound is too long.
            FirstlightError: the field is not finite somewhere.
        """
        frames = max(1, round(self.length * self._rate(options) / self.rate))
        check_size(frames, self.channels)
        return rendered(predict, (frames,), self.channels, self.span, np.dtype(np.float32))

    def save(self, predict: Predict, path: Path, **options: Any) -> Path:
        """Write a .wav, .flac or .ogg file; values beyond full scale are clipped, unless floats.

        Raises:
            OptionError: as in ``render``, or the name has another ending.
            FirstlightError: as in ``render``, or the format does not hold it, or writing fails.
        """
        path = Path(path)
        if path.suffix.lower() not in _FORMATS:
            raise OptionError(f"audio is saved as {', '.join(_FORMATS)}, not as {path.name!r}")
        sound = self.render(predict, **options)
        rate = self._rate(options)
        write_atomically(path, lambda temporary: self._write(temporary, sound, rate))
        return path

    def _rate(self, options: dict[str, Any]) -> int:
        """Frames a second that are asked for."""
        options_of(self, options, ("scale", "rate"))
        asked, scale = options.get("rate"), options.get("scale")
        if asked is not None and scale is not None:
            raise OptionError("scale and rate both say how fine to render: give one of them")
        factor = 1.0 if scale is None else positive(scale, "scale")
        rate = round(self.rate * factor) if asked is None else whole_rate(asked)
        if not 1 <= rate < 2**31:
            raise OptionError(f"a rate must be 1 to 2^31 - 1 frames a second, got {rate}")
        return rate

    def _write(self, path: Path, sound: np.ndarray, rate: int) -> None:
        import soundfile

        kind = _FORMATS[path.suffix.lower()]
        subtype = _subtype(kind, self.subtype)
        if subtype not in ("FLOAT", "DOUBLE"):
            np.clip(sound, -1, 1, out=sound)
        try:
            with soundfile.SoundFile(path, "w", rate, self.channels, subtype, format=kind) as file:
                for start in range(0, len(sound), _WRITTEN):
                    file.write(sound[start : start + _WRITTEN])
        except soundfile.LibsndfileError as error:
            raise FirstlightError(
                f"cannot write {self.channels} channels at {rate} Hz as {kind} {subtype}: "
                f"{error.error_string}"
            ) from error


@dataclass(frozen=True)
class Audio(Gridded):
    """Channels over time; time is one coordinate between -1 and 1, whatever the duration.

    A field of sound needs a high first frequency: SIREN's authors multiply time by 100, which
    here is omega_0 = 3000, and gradient control takes omega_0 = "nyquist".

    Reference: arXiv 2006.09661.
    """

    def measure(self, predict: PredictSamples) -> dict[str, float]:
        """Also "snr" and, where samples are held out, "held_out_snr", in dB.

        SNR = 10 log10(sum y^2 / sum (f - y)^2),  infinite for an exact field
        """
        measured = super().measure(predict)
        for prefix, samples in (("", self.train), ("held_out_", self.held_out)):
            if samples is not None:
                measured[f"{prefix}snr"] = _snr(measured[f"{prefix}psnr"], samples)
        return measured


def read_audio(
    source: str | Path | np.ndarray | Tensor,
    *,
    rate: int | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    every: int = 1,
    held_out: float = 0.0,
    seed: int = 0,
) -> Audio:
    """Sound from a file that libsndfile reads, or from an array.

    Args:
        source: a file, or (frames,) or (frames, channels) of int16 or of floats, 1 full scale.
        rate: frames a second: an array's own, which it needs; a file is resampled to it.
        start: seconds to skip.
        seconds: how long a part is read at most; None reads to the end.
        every: train on every n-th frame, the others are held out.
        held_out: or the share of frames that are held out, drawn at random.
        seed: of that draw.

    Raises:
        FirstlightError: the file is absent, no audio, empty, or has values that are no numbers.
        OptionError: an option is out of range, or there are more than 2^24 frames.

    Example:
        >>> tone = torch.sin(torch.arange(800) / 10)
        >>> audio = read_audio(tone, rate=8000, seconds=0.05, every=2)
        >>> len(audio.train), len(audio.held_out), audio.form.seconds
        (200, 200, 0.05)
    """
    begin = not_negative(start, "start")
    limit = inf if seconds is None else positive(seconds, "seconds")
    wanted = None if rate is None else whole_rate(rate)
    if isinstance(source, str | Path):
        name, sound = str(source), sound_of_file(Path(source), begin, limit, wanted)
    else:
        name, sound = "an array", sound_of_array(source, begin, limit, wanted)
    frames, channels = sound.values.shape
    peak = max(-float(sound.values.min()), float(sound.values.max()))
    form = AudioForm(channels, sound.rate, frames, peak / sound.full, sound.subtype)
    places = Lattice.cells((frames,))
    samples = Samples(places, torch.from_numpy(sound.values), Span(-peak, peak))
    train, others = held_out_of(samples, chosen_places(places, every, held_out, seed))
    return Audio(name, train, others, form, every)


def _subtype(kind: str, wanted: str) -> str:
    """The type of values in a file of this kind that is nearest to the one that was read."""
    import soundfile

    if soundfile.check_format(kind, wanted):
        return wanted
    if kind == "FLAC" and wanted in _DEEP:
        return "PCM_24"
    return soundfile.default_subtype(kind)


def _snr(psnr: float, samples: Samples) -> float:
    """PSNR against the signal's own power in place of 4; no number is lost for silence."""
    if psnr == inf:
        return inf
    total = 0.0
    for start in range(0, len(samples), _AT_ONCE):
        total += float(samples.between(start, start + _AT_ONCE).y.double().square().sum())
    return psnr - decibels(total / len(samples) / samples.outputs)
