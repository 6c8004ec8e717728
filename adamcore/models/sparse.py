"""Sparse examples: rows of which only the entries that are not zero are stored."""

from __future__ import annotations

from typing import Any

import numpy as np


class SparseRows:
    r"""A matrix X of examples, stored by rows (compressed sparse rows, CSR), from which minibatches are taken fast.

    A bag of words has about a hundred words of ten thousand. Row i has the values ``values[k]`` in the columns
    ``columns[k]``, with ``k`` from ``starts[i]`` up to, but not including, ``starts[i + 1]``. Only what training
    needs is here: ``x[rows]``, and the two products

    .. math::

        (X W)_{ic} = \sum_{k \in \text{row } i} \text{values}_k \, W_{\text{columns}_k, c}
        \qquad
        (\delta X)_{cj} = \sum_{k : \text{columns}_k = j} \delta_{c, \text{row of } k} \, \text{values}_k

    Neither ever makes X dense: time and memory are those of the stored entries, and of the result.

    Parameters
    ----------
    values : numpy.ndarray
        float32 or float64, (stored entries,).
    columns : numpy.ndarray
        Integers, (stored entries,), each from 0 to ``n_columns`` - 1. A column that stands twice in a row counts
        twice.
    starts : numpy.ndarray
        Integers, (rows + 1,): from 0, never falling, to the number of stored entries.
    n_columns : int

    Attributes
    ----------
    shape : tuple of int
        (rows, columns).

    Raises
    ------
    ValueError
        If the three arrays do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from adamcore.models import SparseRows
    >>> x = SparseRows(np.array([2.0, 1.0, 5.0]), np.array([0, 2, 1]), np.array([0, 2, 2, 3]), n_columns=3)
    >>> x.toarray()
    array([[2., 0., 1.],
           [0., 0., 0.],
           [0., 5., 0.]])
    >>> x @ np.ones((3, 1))
    array([[3.],
           [0.],
           [5.]])
    >>> x[np.array([2, 0])].toarray()
    array([[0., 5., 0.],
           [2., 0., 1.]])
    """

    # delta @ x asks us, instead of turning x into an array.
    __array_ufunc__ = None

    def __init__(self, values: np.ndarray, columns: np.ndarray, starts: np.ndarray, n_columns: int) -> None:
        if values.dtype not in (np.float32, np.float64):
            raise ValueError(f"SparseRows: values have dtype {values.dtype}; allowed are float32 and float64.")
        for name, array in (("columns", columns), ("starts", starts)):
            if not np.issubdtype(array.dtype, np.integer):
                raise ValueError(f"SparseRows: {name} have dtype {array.dtype}; they must be integers.")
        if len(values) != len(columns):
            raise ValueError(f"SparseRows: {len(values)} values, but {len(columns)} columns; one of each an entry.")
        if len(starts) < 1 or starts[0] != 0 or starts[-1] != len(values) or (starts[1:] < starts[:-1]).any():
            raise ValueError(f"SparseRows: starts must rise from 0 to the number of entries, {len(values)}.")
        if len(columns) and not 0 <= columns.min() <= columns.max() < n_columns:
            raise ValueError(
                f"SparseRows: columns from {columns.min()} to {columns.max()}; "
                f"allowed are 0 to {n_columns - 1}, as n_columns = {n_columns}."
            )
        # numpy indexes and counts with intp; converting once is faster than at every minibatch.
        self._fill(values, columns.astype(np.intp), starts.astype(np.intp), n_columns)

    def _fill(self, values: np.ndarray, columns: np.ndarray, starts: np.ndarray, n_columns: int) -> SparseRows:
        """Set what was checked already."""
        self.values, self.columns, self.starts = values, columns, starts
        self.shape = (len(starts) - 1, n_columns)
        self._numbers = np.arange(len(starts) - 1)
        return self

    @classmethod
    def _of(cls, *parts: Any) -> SparseRows:
        """Rows of parts that fit together: minibatches are not checked again."""
        return cls.__new__(cls)._fill(*parts)

    @classmethod
    def from_scipy(cls, matrix: Any, dtype: Any = np.float32) -> SparseRows:
        """Take over a ``scipy.sparse`` matrix or array in CSR format.

        Parameters
        ----------
        matrix : scipy.sparse.csr_array or scipy.sparse.csr_matrix
        dtype : dtype, default numpy.float32
            Of the values.

        Returns
        -------
        SparseRows

        Raises
        ------
        TypeError
            If the matrix is not in CSR format.

        Examples
        --------
        >>> from adamcore.data import load_imdb
        >>> from adamcore.models import SparseRows
        >>> SparseRows.from_scipy(load_imdb().x_train)
        SparseRows(25000 x 10000, 3156260 stored entries)
        """
        if getattr(matrix, "format", None) != "csr":
            raise TypeError(
                f"expected a scipy.sparse matrix in CSR format, got {type(matrix).__name__}; try .tocsr()."
            )
        return cls(matrix.data.astype(dtype), matrix.indices, matrix.indptr, matrix.shape[1])

    def __repr__(self) -> str:
        return f"SparseRows({self.shape[0]} x {self.shape[1]}, {len(self.values)} stored entries)"

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the values."""
        return self.values.dtype

    def __getitem__(self, rows: Any) -> SparseRows:
        """Return some rows, in the order asked for: a minibatch. Whatever selects rows of an array does so here."""
        rows = np.atleast_1d(self._numbers[rows])
        first = self.starts[rows]
        lengths = self.starts[rows + 1] - first
        starts = np.zeros(len(lengths) + 1, np.intp)
        np.cumsum(lengths, out=starts[1:])
        # Entry k of the result is entry k + (where its row begins here) - (where its row begins there).
        entries = np.arange(starts[-1])
        entries += np.repeat(first - starts[:-1], lengths)
        return self._of(self.values.take(entries), self.columns.take(entries), starts, self.shape[1])

    def with_values(self, values: np.ndarray) -> SparseRows:
        """Return the same entries with other values, (stored entries,).

        Examples
        --------
        >>> import numpy as np
        >>> from adamcore.models import SparseRows
        >>> x = SparseRows(np.array([2.0, 7.0]), np.array([0, 2]), np.array([0, 2]), n_columns=3)
        >>> x.with_values(np.sign(x.values)).toarray()
        array([[1., 0., 1.]])
        """
        if values.shape != self.values.shape:
            raise ValueError(f"with_values: values has shape {values.shape}, expected {self.values.shape}.")
        return self._of(values, self.columns, self.starts, self.shape[1])

    def __matmul__(self, weights: np.ndarray) -> np.ndarray:
        """Return X W, dense: (rows, c) for W of shape (columns, c)."""
        self._check(weights, (self.shape[1], "c"))
        result = np.zeros((len(self), weights.shape[1]), np.result_type(self.values, weights))
        # reduceat would give an empty row the first entry of the next one.
        filled = np.flatnonzero(np.diff(self.starts))
        for c, column in enumerate(weights.T):
            terms = column.take(self.columns).astype(result.dtype, copy=False)
            terms *= self.values
            result[filled, c] = np.add.reduceat(terms, self.starts[filled]) if len(filled) else 0
        return result

    def __rmatmul__(self, delta: np.ndarray) -> np.ndarray:
        """Return delta X, dense: (c, columns) for delta of shape (c, rows)."""
        self._check(delta, ("c", len(self)))
        lengths = np.diff(self.starts)
        result = np.empty((len(delta), self.shape[1]), np.result_type(self.values, delta))
        for c, row in enumerate(delta):
            terms = np.repeat(row, lengths).astype(result.dtype, copy=False)
            terms *= self.values
            result[c] = np.bincount(self.columns, terms, minlength=self.shape[1])
        return result

    def _check(self, factor: np.ndarray, expected: tuple) -> None:
        """Raise unless the factor is a matrix of the expected shape, where "c" stands for any number."""
        if factor.ndim != 2 or any(want not in ("c", n) for want, n in zip(expected, factor.shape, strict=True)):
            raise ValueError(f"{self!r}: the other factor has shape {factor.shape}, expected {expected}.")

    def toarray(self) -> np.ndarray:
        """Return the same matrix, dense: for looking at a few rows.

        Examples
        --------
        >>> import numpy as np
        >>> from adamcore.models import SparseRows
        >>> SparseRows(np.array([4.0]), np.array([1]), np.array([0, 1]), n_columns=2).toarray()
        array([[0., 4.]])
        """
        dense = np.zeros(self.shape, self.dtype)
        rows = np.repeat(np.arange(len(self)), np.diff(self.starts))
        np.add.at(dense, (rows, self.columns), self.values)
        return dense
