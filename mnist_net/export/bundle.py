"""JavaScript modules as one plain script.

A page that is opened from a file may load scripts and no modules.  Ours import by name from one
folder and export declarations, so each becomes a function that gives what it exports, after those
that it imports from.
"""

import re
from collections.abc import Mapping

_IMPORT = re.compile(
    r'^import (?:\* as (?P<all>\w+)|(?P<names>\{[^}]*\})) from "\./(?P<file>[\w.]+)";\n',
    re.MULTILINE,
)
_EXPORT = re.compile(
    r"^export (?=(?:async )?(?:function\*?|class|const) (?P<name>\w+))", re.MULTILINE
)


def bundled(modules: Mapping[str, str], main: str) -> str:
    """One script that does what the module `main` does.

    Parameters
    ----------
    modules
        The text of each, by its file's name.
    main
        The name of the one that starts the rest.

    Raises
    ------
    ValueError
        If a module imports or exports in a way that is not understood, or in a circle.
    """
    order: list[str] = []
    _visit(main, modules, order, ())
    parts = [_as_function(name, modules[name]) for name in order]
    return "\n".join(['"use strict";', "(() => {", "const modules = {};", *parts, "})();", ""])


def _visit(name: str, modules: Mapping[str, str], order: list[str], path: tuple[str, ...]) -> None:
    if name in path:
        raise ValueError(f"modules that import each other: {', '.join(path)}")
    for found in _IMPORT.finditer(modules[name]):
        if found["file"] not in order:
            _visit(found["file"], modules, order, (*path, name))
    order.append(name)


def _as_function(name: str, text: str) -> str:
    exported = [found["name"] for found in _EXPORT.finditer(text)]
    text = _EXPORT.sub("", _IMPORT.sub(_as_constant, text))
    if re.search(r"^(?:import|export)\b", text, re.MULTILINE):
        raise ValueError(f"{name} imports or exports in a way that is not understood")
    return f'modules["{name}"] = (() => {{\n{text}return {{ {", ".join(exported)} }};\n}})();'


def _as_constant(found: re.Match[str]) -> str:
    names = found["all"] or found["names"].replace(" as ", ": ")
    return f'const {names} = modules["{found["file"]}"];\n'
