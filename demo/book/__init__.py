"""What the book needs beyond Markdown: Python-Markdown extensions, named in `mkdocs.yml`.

They are extensions of Python-Markdown, not plugins of MkDocs, because Zensical runs the former and not the latter.
"""
