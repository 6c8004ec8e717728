"""From reviews to counts of words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MARKUP = re.compile(r"</?(?:b|br|em|hr|i|p|strong|u)\s*/?>", re.IGNORECASE)
"""The tags of HTML that reviews have; other things in angle brackets, such as <3, are the reviewer's own."""


def plain(text: str) -> str:
    """A review in lower case, each tag of HTML a space.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> from adamcore.data.text import plain
    >>> plain("A classic.<br /><br />I <i>loved</i> it <3")
    'a classic.  i  loved  it <3'
    """
    return MARKUP.sub(" ", text).lower()


def count_words(texts: Iterable[str], vocabulary: Iterable[str]) -> csr_array:
    """Count the words of a vocabulary in each text, by scikit-learn's ``CountVectorizer``.

    A word is two or more letters, digits or underscores in a row, in lower case, tags of HTML left out.

    Parameters
    ----------
    texts : iterable of str
    vocabulary : iterable of str
        Word j is counted in column j.

    Returns
    -------
    scipy.sparse.csr_array
        uint16, (texts, words), the indices of each row sorted.

    Raises
    ------
    ValueError
        If a text has a word more than 65,535 times.

    Examples
    --------
    >>> from adamcore.data.text import count_words
    >>> count_words(["Good, good film!<br />", "Bad"], ["good", "bad"]).toarray()
    array([[2, 0],
           [0, 1]], dtype=uint16)
    """
    from scipy.sparse import csr_array

    counts = csr_array(_vectorizer(list(vocabulary)).transform(texts))
    if counts.nnz and counts.data.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"a text has a word {counts.data.max():,} times; uint16 holds 65,535.")
    counts.sort_indices()
    return counts.astype(np.uint16)


def most_frequent_words(texts: Iterable[str], n: int) -> list[str]:
    """The n words that occur most often in all texts together, the most frequent first, ties in order of letters.

    Parameters
    ----------
    texts : iterable of str
    n : int
        Fewer are returned if there are not so many.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from adamcore.data.text import most_frequent_words
    >>> most_frequent_words(["good film", "bad film", "a film"], 2)
    ['film', 'bad']
    """
    vectorizer = _vectorizer(None)
    totals = np.asarray(vectorizer.fit_transform(texts).sum(axis=0)).ravel()
    words = vectorizer.get_feature_names_out()  # in order of letters, which the stable sort keeps
    return words[np.argsort(-totals, kind="stable")[:n]].tolist()


def _vectorizer(vocabulary: list[str] | None):
    """scikit-learn's, with our preprocessing and its own idea of a word."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(preprocessor=plain, vocabulary=vocabulary)
