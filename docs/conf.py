"""How the site is made of the pages here: `sphinx-build -W docs site`."""

project = "scoopmpi"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click", "sphinx_copybutton"]
html_theme = "furo"
