"""A progress bar that fits the place where it is shown."""

from __future__ import annotations

import warnings
from typing import Any

from tqdm import TqdmWarning, tqdm


def progress_bar(show: bool, **options: Any) -> tqdm:
    """Return a bar: a widget in a notebook that has ipywidgets, a line of text in any other and in a terminal.

    Parameters
    ----------
    show : bool
        Whether to show it at all.
    **options
        Of ``tqdm``, such as ``total``.

    Returns
    -------
    tqdm.tqdm
        To be used in a ``with`` statement.

    Examples
    --------
    >>> from adamcore.experiments.progress import progress_bar
    >>> with progress_bar(False, total=2) as bar:
    ...     bar.update()
    """
    if not show:
        return tqdm(disable=True, **options)
    with warnings.catch_warnings():
        # Without ipywidgets it falls back to text, which is all that has to be said; it is imported here and not
        # above, since it looks for a notebook when it is imported.
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm as fitting
    return fitting(**options)
