"""What the grader and a submission's process say to each other: plain data as JSON, one message a line.

Nothing is ever unpickled. Arrays travel as their bytes, with a dtype from a short list and a shape that has to fit.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

LONGEST = 64 * 2**20
"""Bytes in the longest message that is read."""

DEEPEST = 20
"""How deep lists and the like may be nested."""

LETTERS = 300
"""How much of a text is told about something that cannot be sent."""


class NotPlain(TypeError):
    """A value that is no plain data, so that it cannot be sent."""


def encode(value: Any, depth: int = 0) -> Any:
    """Return plain data as what JSON can hold.

    Parameters
    ----------
    value : object
        None, True, False, ``...``, numbers, texts, numpy arrays and scalars of numbers, booleans or texts; tuples,
        lists and dicts of these. What is derived from such a class is sent as that class.

    Returns
    -------
    object

    Raises
    ------
    NotPlain
        If there is anything else in it.

    Examples
    --------
    >>> encode((1, 2.5))
    {'tuple': [1, 2.5]}
    >>> encode({1, 2})
    Traceback (most recent call last):
    adamcore.grading.channel.NotPlain: a set is no plain data
    """
    if depth > DEEPEST:
        raise NotPlain(f"lists in lists in lists, more than {DEEPEST} deep")
    if value is None or value is True or value is False:
        return value
    if value is ...:
        return {"dots": 1}
    kind = type(value)
    if isinstance(value, np.generic):
        array = np.asarray(value)
        return {"scalar": [_letters(array), _bytes(array)]}
    if issubclass(kind, np.ndarray):
        array = np.array(value, subok=False, order="C")
        return {"array": [_letters(array), list(array.shape), _bytes(array)]}
    if issubclass(kind, int):
        return _short(int.__int__(value))
    if issubclass(kind, float):
        return float.__float__(value)
    if issubclass(kind, complex):
        return {"complex": [complex.__complex__(value).real, complex.__complex__(value).imag]}
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, list):
        return {"list": [encode(entry, depth + 1) for entry in list.__iter__(value)]}
    if issubclass(kind, tuple):
        return {"tuple": [encode(entry, depth + 1) for entry in tuple.__iter__(value)]}
    if issubclass(kind, dict):
        return {"dict": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in dict.items(value)]}
    article = "an" if kind.__name__[:1].lower() in "aeiou" else "a"
    raise NotPlain(f"{article} {kind.__name__} is no plain data")


def decode(message: Any) -> Any:
    """Return the plain data that :func:`encode` was given.

    Parameters
    ----------
    message : object
        What JSON gave; from a process that is not trusted.

    Returns
    -------
    object
        Of Python's and numpy's own classes alone.

    Raises
    ------
    ValueError
        If it is not what :func:`encode` returns.

    Examples
    --------
    >>> import numpy as np
    >>> decode(encode([np.arange(3.0), {"a": None}]))
    [array([0., 1., 2.]), {'a': None}]
    >>> decode({"array": ["<f8", [1000000000], ""]})
    Traceback (most recent call last):
    ValueError: an array of the shape [1000000000] with 0 bytes
    """
    if message is None or isinstance(message, bool | int | float | str):
        return message
    if not isinstance(message, dict) or len(message) != 1:
        raise ValueError("a message of an unknown form")
    ((kind, content),) = message.items()
    if kind == "dots":
        return ...
    if not isinstance(content, list):
        raise ValueError("a message of an unknown form")
    if kind == "list":
        return [decode(entry) for entry in content]
    if kind == "tuple":
        return tuple(decode(entry) for entry in content)
    if kind == "dict" and all(isinstance(pair, list) and len(pair) == 2 for pair in content):
        pairs = [(decode(key), decode(value)) for key, value in content]
        try:
            return dict(pairs)
        except TypeError as error:
            raise ValueError(f"a dict with a key that cannot be one: {error}") from error
    if kind == "complex" and len(content) == 2 and all(isinstance(part, int | float) for part in content):
        return complex(*content)
    if kind == "array" and len(content) == 3:
        return _array(*content)
    if kind == "scalar" and len(content) == 2:
        return _array(content[0], [], content[1])[()]
    raise ValueError("a message of an unknown form")


def _array(letters: Any, shape: Any, text: Any) -> np.ndarray:
    """An array from its dtype, its shape and its bytes, if they fit."""
    if not isinstance(letters, str) or not isinstance(text, str) or not isinstance(shape, list) or len(shape) > 32:
        raise ValueError("an array of an unknown form")
    if not all(type(side) is int and 0 <= side < 2**40 for side in shape):
        raise ValueError("an array of an unknown shape")
    if letters not in KINDS and not (
        letters[:2] == "<U" and letters[2:].isdecimal() and 1 <= int(letters[2:]) < 10**6
    ):
        raise ValueError(f"an array of the dtype {letters[:20]!r}")
    dtype = np.dtype(letters)
    content = base64.b64decode(text, validate=True)
    if len(content) != dtype.itemsize * math.prod(shape):
        raise ValueError(f"an array of the shape {shape} with {len(content)} bytes")
    return np.frombuffer(content, dtype).reshape(shape).copy()


KINDS = frozenset(
    np.dtype(code).newbyteorder("<").str for code in ("?", *np.typecodes["AllInteger"], *np.typecodes["AllFloat"])
)
"""The dtypes of numbers that are sent, as numpy writes them."""


def _letters(array: np.ndarray) -> str:
    """The dtype of an array as it is sent."""
    letters = array.dtype.newbyteorder("<").str
    if letters in KINDS or (array.dtype.kind == "U" and array.dtype.itemsize):
        return letters
    raise NotPlain(f"an array of the dtype {str(array.dtype)[:LETTERS]} is no plain data: numbers, booleans or texts")


def _bytes(array: np.ndarray) -> str:
    """The numbers of an array as text."""
    if array.nbytes > LONGEST // 2:
        raise NotPlain(f"an array of {array.nbytes / 2**20:.0f} MB is too large")
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()).decode("ascii")


def _short(number: int) -> int:
    """An integer that Python still writes out."""
    if number.bit_length() > 10_000:
        raise NotPlain(f"an integer of {number.bit_length()} bits is too large")
    return number


def pack(message: dict[str, Any]) -> bytes:
    r"""Return one message as a line.

    Examples
    --------
    >>> pack({"id": 1})
    b'{"id": 1}\n'
    """
    return json.dumps(message).encode("ascii") + b"\n"


def unpack(line: bytes) -> dict[str, Any]:
    r"""Return the message in a line.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> unpack(b'{"id": 1}\n')
    {'id': 1}
    """
    try:
        message = json.loads(line)
    except RecursionError as error:
        raise ValueError("a message nested too deeply") from error
    if not isinstance(message, dict):
        raise ValueError("a message of an unknown form")
    return message
