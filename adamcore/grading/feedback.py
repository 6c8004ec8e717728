"""The page of feedback that a student gets: one file that needs nothing else; nothing of a submission runs in it.

Rubrics and titles are ours, and the TeX in them is read. What a student wrote stays as it was written.
"""

from __future__ import annotations

import re
from html import escape

from adamcore.grading.judge import Assignment, Mark, Question, Result, named
from adamcore.grading.tex import to_html

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --soft: #f3f4f6; --line: #d0d4da; --good: #11643a;
  --bad: #a11d1d; --hand: #6b4a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6e9; --paper: #16181b; --soft: #23262b; --line: #444a52;
  --good: #6fd39b; --bad: #ff9a92; --hand: #f0c25c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .5rem;
  border-bottom: 1px solid var(--line); vertical-align: top; }
td.points, th.points { text-align: right; white-space: nowrap; }
article { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem; margin: .8rem 0; }
article p { margin: .5rem 0 0; } .good { color: var(--good); } .bad { color: var(--bad); }
.hand { color: var(--hand); }
.kind { font-weight: 600; } .text { white-space: pre-wrap; }
pre { background: var(--soft); padding: .7rem; border-radius: .3rem; overflow-x: auto; font-size: .85rem; }
blockquote { margin: .5rem 0 0; padding: .1rem .8rem; border-left: 3px solid var(--line); white-space: pre-wrap; }
a { color: inherit; }
"""


def page(result: Result, assignment: Assignment | None) -> str:
    """Return the page of feedback on one submission.

    Parameters
    ----------
    result : Result
    assignment : Assignment or None
        None if it could not be told which it is.

    Returns
    -------
    str
        HTML. It loads nothing, runs nothing, and shows whatever comes from the submission as text.
    """
    title = (assignment.title or assignment.name) if assignment else "A notebook"
    head = escape(f"{result.student or result.file}: {title}")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{head}</title><style>{STYLE}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(result.student or 'No student id')} · <code>{escape(result.file)}</code>"
        f"{f' · term {escape(result.term)}' if result.term else ''}</p>",
    ]
    if result.fault:
        parts.append(f'<p class="bad"><b>This file could not be graded:</b> {escape(result.fault)}.</p>')
    if assignment:
        parts += _overview(result, assignment)
        parts += _errors(result)
        parts.append("<h2>Question by question</h2>")
        parts += [_question(question, result) for question in assignment.questions]
    if result.printed.strip():
        parts.append(
            "<details><summary>What your notebook printed when it was run for grading</summary>"
            f"<pre>{escape(result.printed)}</pre></details>"
        )
    return "\n".join([*parts, "</main></body></html>", ""])


def _overview(result: Result, assignment: Assignment) -> list[str]:
    """The points at a glance."""
    by_hand = sum(question.points for question in assignment.questions if question.manual)
    # Where students choose, each part says below what is given by hand.
    told = by_hand and not assignment.alternatives
    more = f" Up to {by_hand:g} more are given by hand, for what you wrote." if told else ""
    lines = [
        f"<p><b>{assignment.counted(result):g} of {assignment.possible:g} points</b> by checks.{more}</p>",
        *_parts(result, assignment),
        '<table><thead><tr><th scope="col">Question</th>',
        '<th scope="col" class="points">Points</th></tr></thead><tbody>',
    ]
    for question in assignment.questions:
        points = f"{result.points(question.name):g} of {question.points:g}"
        points = f"{question.points:g} by hand" if question.manual else points
        kind = "hand" if question.manual else "good" if result.points(question.name) == question.points else "bad"
        lines.append(
            f'<tr><td><a href="#{question.name}">{_named(question)}</a></td>'
            f'<td class="points {kind}">{points}</td></tr>'
        )
    return [*lines, "</tbody></table>"]


def _parts(result: Result, assignment: Assignment) -> list[str]:
    """What is full marks and what each part has given, if students choose between parts."""
    if not assignment.alternatives:
        return []
    lines = [f"<p>{escape(assignment.choice())} What you did not choose costs nothing.</p><ul>"]
    for sections in assignment.parts():
        earned = sum(result.points(q.name) for q in assignment.questions if q.section in sections)
        title, by_hand = named(sections), assignment.points(sections, manual=True)
        lines.append(
            f"<li>{title[0].upper() + title[1:]}: {earned:g} of {assignment.points(sections, manual=False):g} points "
            f"by checks{f', up to {by_hand:g} more by hand' if by_hand else ''}</li>"
        )
    return [*lines, "</ul>"]


def _errors(result: Result) -> list[str]:
    """The cells that did not run to their end."""
    if not result.errors:
        return []
    lines = [
        "<h2>Cells that did not run to their end</h2>",
        "<p>Your notebook was run from top to bottom in a fresh kernel. These cells raised an error or had to be "
        "stopped; the others were run all the same. To see it yourself, restart the kernel and run all cells.</p>",
    ]
    for error in result.errors:
        where = f"Code cell {error['cell']}, which begins with <code>{escape(error['line'])}</code>"
        if error["trace"]:
            lines.append(f"<article><p>{where}</p><pre>{escape(_last_lines(error['trace']))}</pre></article>")
        else:
            text = error["text"][:1].upper() + error["text"][1:]
            lines.append(f'<article><p>{where}</p><p class="bad">{escape(text)}</p></article>')
    return lines


def _last_lines(trace: str, most: int = 16) -> str:
    """The end of a traceback, where the cause stands."""
    lines = trace.rstrip().splitlines()
    return "\n".join(lines if len(lines) <= most else ["...", *lines[-most:]])


def _question(question: Question, result: Result) -> str:
    """One question: its tests and what they say, or how it is graded by hand."""
    head = f'<article id="{question.name}"><h3>{_named(question)}</h3>'
    if question.manual:
        answer = result.answers.get(question.name, "").strip()
        given = f"<blockquote>{escape(answer)}</blockquote>" if answer else '<p class="bad">There is no answer.</p>'
        return (
            f'{head}<p class="hand">{question.points:g} points, given by hand. What they are given for:</p>'
            f"{_listed(question.rubric)}<p>Your answer:</p>{given}</article>"
        )
    marks = (mark for mark in result.marks if mark.question == question.name)
    return head + "".join(_mark(mark, question) for mark in marks) + "</article>"


def _mark(mark: Mark, question: Question) -> str:
    """One test; its message without the question's name, which stands above."""
    message = re.sub(rf"^{re.escape(question.number)} \([^)]*\): ", "", mark.message)
    good = mark.earned == mark.points
    kind = "More cases, tried when marking" if mark.hidden else "The check in your notebook"
    return (
        f'<p><span class="kind {"good" if good else "bad"}">{"✓" if good else "✗"} {kind}: {mark.earned:g} of '
        f'{mark.points:g}.</span> <span class="text">{escape(message[:1].upper() + message[1:])}</span></p>'
    )


def _named(question: Question) -> str:
    """A question's number and title, as HTML."""
    return to_html(f"{question.number} {question.title}".strip())


def _listed(text: str) -> str:
    """A rubric's lines, those with dashes as a list."""
    blocks = re.split(r"\n(?=- )|\n{2,}", text.strip())
    lines = []
    for block in blocks:
        inner = to_html(block.removeprefix("- ").strip())
        lines.append(f"<li>{inner}</li>" if block.startswith("- ") else f"<li>{inner}</li>" if inner else "")
    return f"<ul>{''.join(lines)}</ul>"
