"""How Sphinx makes a site of these pages; `make docs` runs it."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

project = "mnist-net"
author = "The mnist-net developers"
copyright = author  # noqa: A001  (Sphinx calls it so)
release = metadata.version("mnist-net")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "scripts.docs.extension",
]
exclude_patterns = ["_static"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!mnist_net\.).*")]  # other projects' names stay plain
nitpick_ignore = [("py:class", "mnist_net.learning.scaling.Pixels")]  # not in the reference

# Pages: GitHub's Markdown, with its mathematics.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4

# Docstrings: NumPy's sections.
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
default_role = "name"
maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
python_use_unqualified_type_names = True
add_module_names = False

# Mathematics is set by this site's own copy: nothing is loaded from elsewhere.
_mathjax = metadata.distribution("django-static-mathjax").locate_file("mathjax/static/mathjax")
mathjax_path = "tex-svg.js"

html_theme = "pydata_sphinx_theme"
html_title = "mnist-net"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static", str(_mathjax / "es5" / "tex-svg.js")]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
# The pages beside which there is no list of others.
_ALONE = "index tutorial derivation worked-examples reference commands safety code/*"
html_sidebars: dict[str, list[str]] = {page: [] for page in _ALONE.split()}
html_theme_options = {
    "logo": {"text": "mnist-net", "alt_text": "mnist-net: start"},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_nav_level": 2,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "github_url": "https://github.com/mnist-net/mnist-net",
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_prompt_text = "$ "
