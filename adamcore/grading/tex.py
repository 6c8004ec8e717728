"""Reads the little TeX that stands in rubrics and titles, for a page that is mailed alone and can load no MathJax."""

from __future__ import annotations

import re
from html import escape

SIGNS = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ"},
    **{"lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "Gamma": "Γ", "Delta": "Δ"},
    **{"ge": "≥", "le": "≤", "ne": "≠", "approx": "≈", "to": "→", "infty": "∞", "pm": "±", "in": "∈", "sum": "Σ"},
    **{"cdot": "·", "times": "×", "dots": "…", "ldots": "…", "ln": "ln", "log": "log", "exp": "exp"},
    **{"max": "max", "min": "min", ",": " ", ";": " ", " ": " ", "{": "{", "}": "}"},
}
"""What a command stands for."""

ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
"""What is written over the letter that follows."""

TOKEN = re.compile(r"\\[A-Za-z]+ ?|\\.|\s+|.")


class _Unknown(ValueError):
    """TeX that is not understood here."""


def to_html(text: str) -> str:
    r"""Return a text as HTML: ``$...$`` as Unicode with indices and powers, words in backquotes as code.

    Parameters
    ----------
    text : str
        One of ours: a rubric or a title. What is not understood stays as it is.

    Returns
    -------
    str
        Escaped, but for ``sub``, ``sup`` and ``code``.

    Examples
    --------
    >>> to_html(r"$\beta_1 < 1$ and $\hat m_t$")
    'β<sub>1</sub> &lt; 1 and m̂<sub>t</sub>'
    >>> to_html(r"`findings` and $\unknown x$")
    '<code>findings</code> and $\\unknown x$'
    """
    # As in markdown: no space inside of the dollars, so that two prices are no formula.
    parts = re.split(r"(\$(?!\s)[^$]+(?<!\s)\$(?!\d)|`[^`]+`)", text)
    return "".join(_part(part) for part in parts)


def _part(part: str) -> str:
    """A formula, a word of code, or what stands between them."""
    if part.startswith("`") and part.endswith("`") and len(part) > 2:
        return f"<code>{escape(part[1:-1])}</code>"
    if part.startswith("$") and part.endswith("$") and len(part) > 2:
        try:
            return _formula(_Tokens(part[1:-1].strip()))
        except _Unknown:
            pass
    return escape(part)


class _Tokens:
    """The commands and letters of a formula, one after the other."""

    def __init__(self, text: str) -> None:
        self.left = TOKEN.findall(text)

    def take(self) -> str:
        """The next one."""
        if not self.left:
            raise _Unknown
        return self.left.pop(0)


def _formula(tokens: _Tokens, end: str = "") -> str:
    """Everything up to a closing brace, or to the end."""
    out = []
    while tokens.left and tokens.left[0] != end:
        out.append(_one(tokens))
    if end:
        tokens.take()  # raises if a brace is not closed
    return "".join(out)


def _one(tokens: _Tokens) -> str:
    """One letter, space, group or command with what it takes."""
    token = tokens.take()
    if token == "{":
        return _formula(tokens, "}")
    if token in ("_", "^"):
        tag = "sub" if token == "_" else "sup"
        return f"<{tag}>{_argument(tokens)}</{tag}>"
    if not token.startswith("\\") or token == "\\":
        if token in ("}", "&", "#", "%", "~", "\\"):
            raise _Unknown
        return "−" if token == "-" else escape(token)
    name, space = token[1:].rstrip() or " ", " " if token[2:].endswith(" ") else ""
    if name in ACCENTS:
        letter = _argument(tokens)
        if len(letter) != 1:
            raise _Unknown
        return letter + ACCENTS[name]
    if name == "sqrt":
        return f"√{_grouped(_argument(tokens))}"
    if name == "frac":
        return f"{_grouped(_argument(tokens))}/{_grouped(_argument(tokens))}"
    if name in SIGNS:
        return escape(SIGNS[name]) + space
    raise _Unknown


def _argument(tokens: _Tokens) -> str:
    """What a command takes: the next letter, group or command."""
    while tokens.left and tokens.left[0].isspace():
        tokens.take()
    return _one(tokens).rstrip()


def _grouped(formula: str) -> str:
    """In parentheses, if it is more than one letter."""
    return formula if len(formula) == 1 else f"({formula})"
