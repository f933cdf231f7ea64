"""What a package of scrun has beside scrun itself, made when the package is built; nothing here runs at a site.

``python -m distribution DIRECTORY`` writes the manual page and the completions of three shells, all of them from
the tables of ``scrun.cli.grammar``.
"""
