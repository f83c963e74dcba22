"""Modules as one script: what each gives and takes, in the right order."""

import pytest

from mnist_net.export.bundle import bundled


def test_a_module_becomes_a_function_after_those_that_it_needs() -> None:
    modules = {
        "main.js": (
            'import { a as b } from "./one.js";\nimport * as two from "./two.js";\nb(two.C);\n'
        ),
        "one.js": 'import { C } from "./two.js";\nexport function a(x) { return x + C; }\n',
        "two.js": "export const C = 2;\nconst own = 3;\n",
    }
    assert bundled(modules, "main.js").split("\n") == [
        '"use strict";',
        "(() => {",
        "const modules = {};",
        'modules["two.js"] = (() => {',
        "const C = 2;",
        "const own = 3;",
        "return { C };",
        "})();",
        'modules["one.js"] = (() => {',
        'const { C } = modules["two.js"];',
        "function a(x) { return x + C; }",
        "return { a };",
        "})();",
        'modules["main.js"] = (() => {',
        'const { a: b } = modules["one.js"];',
        'const two = modules["two.js"];',
        "b(two.C);",
        "return {  };",
        "})();",
        "})();",
        "",
    ]


@pytest.mark.parametrize("line", ["export default 3;", 'import x from "./y.js";', "export { x };"])
def test_other_ways_to_import_and_export_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"main\.js imports or exports in a way"):
        bundled({"main.js": f"{line}\n"}, "main.js")


def test_a_circle_is_refused() -> None:
    modules = {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match=r"import each other: a\.js, b\.js"):
        bundled(modules, "a.js")
