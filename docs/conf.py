"""How the site is made: `sphinx-build -W docs site`, and then site/index.html in a browser.

Its pages are the Markdown files of the tree, at the places where they are: a link leads from page
to page here as it does in a checkout. So the sources are the whole tree, whatever directory the
command names, and the pages are those below. What docstrings become: `reference/docstrings.py`.
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "reference")]

import scoopmpi  # noqa: E402 # of this tree

project = "scoopmpi"
author = "the authors of scoopmpi"
version = release = scoopmpi.__version__
html_title = f"scoopmpi {release}"
html_short_title = "scoopmpi"

root_doc = "docs/index"
include_patterns = [
    "docs/**", "benchmarks/README.md", "jobscripts/README.md", "CHANGELOG.md",
    "CONTRIBUTING.md",
]  # fmt: skip
exclude_patterns = ["docs/_*"]
extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton",
    "docstrings", "public_names", "commands_said", "programs_shown",
]  # fmt: skip
nitpicky = True

# Markdown as it is read on GitHub, too.
myst_heading_anchors = 6
myst_links_external_new_tab = False
smartquotes = False  # an option begins with two hyphens, wherever it stands
highlight_language = "none"

# What docstrings say.
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 78
add_module_names = False

# How it looks.
html_theme = "furo"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_domain_indices = False
html_show_copyright = False
html_permalinks_icon = "#"
templates_path = ["_templates"]
html_additional_pages = {"index": "to-the-start.html"}
html_theme_options = {"navigation_with_keys": True}
# The prompts that are shown are not what is to be pasted.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app):
    app.srcdir = app.srcdir.__class__(ROOT)
    app.connect("source-read", mark_places)


def mark_places(app, docname, source):
    """Have links find places that are marked as HTML, for GitHub."""
    source[0] = re.sub(r'^<a id="([\w-]+)"></a>$', r"(\1)=", source[0], flags=re.MULTILINE)
