"""The IDX format of the MNIST files: a magic number, the sizes, then the bytes."""

from __future__ import annotations

import math

import numpy as np

from adamcore.data.dataset import DataError

UNSIGNED_BYTE = 0x08


def parse_idx(content: bytes, name: str = "the IDX file") -> np.ndarray:
    """Read an IDX file of unsigned bytes.

    Two zero bytes, a byte for the type, a byte for the number of dimensions, each size as a big-endian
    32-bit integer, then the values in C order (described on the original MNIST page of Y. LeCun).

    Parameters
    ----------
    content : bytes
        The whole file, not compressed.
    name : str
        What to call it in an error.

    Returns
    -------
    numpy.ndarray
        uint8, read-only, of the shape that the file states: a view of ``content``.

    Raises
    ------
    DataError
        If the magic number is not that of unsigned bytes, the length does not fit the stated shape, or numpy has no
        array of that shape.

    Examples
    --------
    >>> from adamcore.data.idx import parse_idx
    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([7, 8, 9], dtype=uint8)
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise DataError(
            f"{name} is not an IDX file of unsigned bytes: it starts with {content[:4].hex(' ') or 'nothing'}, "
            "expected 00 00 08 and the number of dimensions."
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{name} is truncated: it has {len(content)} bytes, its header alone needs {start}.")
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], dtype=">u4"))
    if len(content) - start != math.prod(shape):
        raise DataError(
            f"{name} is truncated or too long: it has {len(content)} bytes, "
            f"its header states shape {shape}, which needs {start + math.prod(shape)}."
        )
    try:
        return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
    except ValueError as error:  # more than 64 dimensions, or one of size 0 among large ones
        raise DataError(f"{name} states a shape that no array has ({error}): it is damaged.") from None
