"""Sound as it is stored: a part of a file or of an array, checked, at the rate asked for."""

from math import ceil, gcd
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from firstlight.errors import FirstlightError, OptionError
from firstlight.fields.signals.signal import check_readable, unreadable

#: Frames that a field can tell apart: float32 has no finer time between -1 and 1.
MOST_FRAMES = 2**24
#: Values that are read or rendered at most, which bounds the memory.
_MOST_VALUES = 2**26
#: As many channels as libsndfile has.
MOST_CHANNELS = 1024
#: What int16 has where a float has 1.
_FULL = 2**15
#: Files that int16 holds without loss.
_SHORT = ("PCM_16", "PCM_S8", "PCM_U8")


class Sound(NamedTuple):
    """Values as they were stored.

    Attributes:
        values: (frames, channels), int16 or float32.
        rate: frames a second.
        subtype: libsndfile's name of the values' type.
    """

    values: np.ndarray
    rate: int
    subtype: str

    @property
    def full(self) -> int:
        """The value of full scale."""
        return _FULL if self.values.dtype == np.int16 else 1


def sound_of_file(path: Path, start: float, seconds: float, rate: int | None) -> Sound:
    """A part of a file, resampled where it has another rate.

    Raises:
        FirstlightError: the file is absent, no audio, or empty.
        OptionError: the part is none, or too large.
    """
    import soundfile

    check_readable(path, "audio")
    try:
        with soundfile.SoundFile(path) as file:
            first, count = _part(file.frames, file.samplerate, start, seconds, str(path))
            check_size(count, file.channels)
            _check_frames(ceil(count * (rate or file.samplerate) / file.samplerate))
            file.seek(first)
            kind = "int16" if file.subtype in _SHORT else "float32"
            values = file.read(count, dtype=kind, always_2d=True)
            sound = Sound(values, file.samplerate, file.subtype)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: a name that means raw data
        raise unreadable(path, "audio", getattr(error, "error_string", error)) from error
    if len(sound.values) == 0:
        raise unreadable(path, "audio", "the samples that it promises are not there")
    check_finite(sound.values, str(path))
    return _resampled(sound, rate)


def sound_of_array(
    source: np.ndarray | Tensor, start: float, seconds: float, rate: int | None
) -> Sound:
    """A part of an array, (frames,) or (frames, channels).

    Raises:
        FirstlightError: it is empty, or not finite.
        OptionError: it has no rate, another type or another shape, or is too large.
    """
    if rate is None:
        raise OptionError("an array needs its rate: give rate, in frames a second")
    values = source.detach().cpu().numpy() if isinstance(source, Tensor) else np.asarray(source)
    if values.dtype != np.int16 and values.dtype.kind != "f":
        raise OptionError(f"audio must be int16 or floats of full scale 1, got {values.dtype}")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not 1 <= values.shape[1] <= MOST_CHANNELS:
        raise OptionError(
            f"audio must have the shape (frames,) or (frames, channels) with 1 to "
            f"{MOST_CHANNELS} channels, got {values.shape}"
        )
    first, count = _part(len(values), rate, start, seconds, "the array")
    _check_frames(count)
    check_size(count, values.shape[1])
    short = values.dtype == np.int16
    with np.errstate(over="ignore"):  # what float32 does not hold becomes infinite, and is found
        part = np.array(values[first : first + count], np.int16 if short else np.float32)
    check_finite(part, "the array")
    return Sound(part, rate, "PCM_16" if short else "FLOAT")


def check_size(frames: int, channels: int) -> None:
    """Raise ``OptionError`` if a sound has too many values for the memory."""
    if frames * channels > _MOST_VALUES:
        raise OptionError(
            f"{frames} frames of {channels} channels are more than 2^26 values; take less of it"
        )


def check_finite(values: np.ndarray, name: str) -> None:
    """Raise ``FirstlightError`` with the count and the first place of what is no finite number."""
    bad = ~np.isfinite(values)
    if bad.any():
        frame, channel = np.argwhere(bad)[0]
        raise FirstlightError(
            f"{name} has {bad.sum()} values that are no finite float32, the first at frame "
            f"{frame} of channel {channel}; mend them, or read a part with start and seconds"
        )


def whole_rate(rate: object) -> int:
    """Return a rate; raise ``OptionError`` unless it is a whole number that files can hold."""
    if isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate < 2**31:
        raise OptionError(
            f"rate must be a whole number of frames a second, below 2^31, got {rate!r}"
        )
    return rate


def _part(frames: int, rate: int, start: float, seconds: float, name: str) -> tuple[int, int]:
    """The first frame that is asked for, and how many."""
    if frames == 0:
        raise FirstlightError(f"{name} has no samples")
    if start * rate >= frames:
        raise OptionError(f"start={start:g} s is past the end of {name}, after {frames / rate:g} s")
    first = min(round(start * rate), frames - 1)
    count = frames - first if seconds * rate >= frames - first else round(seconds * rate)
    if count == 0:
        raise OptionError(f"seconds={seconds:g} is less than one frame at {rate} Hz")
    return first, count


def _check_frames(frames: int) -> None:
    if frames > MOST_FRAMES:
        raise OptionError(
            f"{frames} frames are more than the {MOST_FRAMES} that float32 time tells apart; "
            "read a part with start and seconds, or a file at a lower rate"
        )


def _resampled(sound: Sound, rate: int | None) -> Sound:
    """At another rate, float32, by a polyphase low-pass filter."""
    if rate is None or rate == sound.rate:
        return sound
    from scipy.signal import resample_poly

    values = sound.values.astype(np.float32) / np.float32(sound.full)
    common = gcd(rate, sound.rate)
    values = resample_poly(values, rate // common, sound.rate // common, axis=0)
    return Sound(np.ascontiguousarray(values, np.float32), rate, sound.subtype)
