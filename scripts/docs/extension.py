"""The part of the site that Sphinx has not: equations beside the lines that implement them.

Used by docs/conf.py alone, since only `make docs` installs Sphinx.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import mnist_net
from scripts.docs import contents, equations, generated

DERIVATION = "derivation"
GENERATED = {"reference": generated.names, "commands": generated.commands}


def complete(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give a page its chapters, its links, and what the code says itself."""
    source[0] = contents.for_the_site(source[0])
    if docname in GENERATED:
        source[0] += "\n" + GENERATED[docname]()
        app.env.note_reread()  # always: the code may have changed where the page has not


def number_equations(app: Sphinx, doctree: nodes.document) -> None:
    """Put each numbered equation beside its number and the lines of code that implement it."""
    if app.env.docname != DERIVATION:
        return
    app.env.note_reread()
    lines, numbers = equations.implementations(), set[str]()
    for math in list(doctree.findall(nodes.math_block)):
        if found := equations.TAG.search(math.astext()):
            number = found[1]
            math.replace_self(_equation(math, number, lines.get(number, [])))
            numbers.add(number)
    for text in list(doctree.findall(nodes.Text)):
        if text.parent is not None and not isinstance(text.parent, _APART):
            text.parent.replace(text, list(_linked(text.astext(), numbers)))


_APART = (nodes.math, nodes.math_block, nodes.literal, nodes.reference, nodes.title, nodes.raw)
"""Where a number in parentheses is no mention of an equation."""


def _equation(math: nodes.math_block, number: str, lines: list[equations.Line]) -> nodes.container:
    """An equation with its number on the right and its lines of code below."""
    formula = nodes.math_block("", equations.TAG.sub("", math.astext()), **math.attributes)
    right = nodes.raw("", _number(number), format="html")
    below = nodes.raw("", "".join(map(_shown, lines)), format="html")
    beside = nodes.container("", formula, right, classes=["formula"])
    return nodes.container("", beside, below, classes=["equation"], ids=[f"equation-{number}"])


def _linked(text: str, numbers: set[str]) -> Iterator[nodes.Node]:
    """A text, in which each number of an equation is a link to it."""
    for index, part in enumerate(equations.NUMBER.split(text)):
        if index % 2 == 0:  # what is between the numbers
            yield nodes.Text(part)
        elif part in numbers:
            yield nodes.reference("", f"({part})", internal=True, refid=f"equation-{part}")
        else:
            yield nodes.Text(f"({part})")


def _number(number: str) -> str:
    return f'<a class="number" href="#equation-{number}">({number})</a>'


def _shown(line: equations.Line) -> str:
    """A line of code below its equation, as a link to its place in the module."""
    code = f'<code class="highlight">{_coloured(line.code)}</code>'
    place = f"<span>{line.module}.py, line {line.number}</span>"
    address = f"code/{line.module}.html#line-{line.number}"
    return f'<a class="implementation" href="{address}">{code}{place}</a>'


def _coloured(code: str) -> str:
    return highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")


def code_pages(_: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each module that implements equations, whose numbers lead back to them."""
    for module, lines in equations.sources().items():
        coloured = _coloured("\n".join(lines) + "\n").split("\n")
        body = "\n".join(
            _numbered_line(number, html, equations.equations_of(text))
            for number, (text, html) in enumerate(zip(lines, coloured, strict=True), start=1)
        )
        title = f"learning/{module}.py"
        body = f'<h1>{escape(title)}</h1>\n<div class="highlight source"><pre>{body}</pre></div>'
        yield f"code/{module}", {"title": title, "body": body, "parents": []}, "page.html"


def _numbered_line(number: int, html: str, found: tuple[str, ...]) -> str:
    for equation in found:
        link = f'<a href="../{DERIVATION}.html#equation-{equation}">({equation})</a>'
        html = html.replace(f"({equation})", link)
    shown = "line implements" if found else "line"
    return f'<span class="{shown}" id="line-{number}"><i>{number}</i>{html}</span>'


def name_role(
    _: str, rawtext: str, text: str, *_args: Any, **_options: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Single backticks in a docstring: code, and a link if it is a public name."""
    literal = nodes.literal(rawtext, text)
    head = text.partition(".")[0]
    if head not in mnist_net.__all__:
        return [literal], []
    link = pending_xref(
        rawtext, refdomain="py", reftype="obj", reftarget=f"mnist_net.{head}", refexplicit=True
    )
    link.append(literal)
    return [link], []


def is_not_ours(_app: Sphinx, _kind: str, name: str, member: Any, *_: Any) -> bool | None:
    """Leave out fields that the class's own text has, and scikit-learn's metadata routing."""
    bare = (getattr(member, "__doc__", "") or "").startswith("Alias for field")
    return True if bare or name.endswith("_request") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of all this."""
    app.add_role("name", name_role)
    app.connect("source-read", complete)
    app.connect("doctree-read", number_equations)
    app.connect("autodoc-skip-member", is_not_ours)
    app.connect("html-collect-pages", code_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
