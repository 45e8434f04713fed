"""Renders `reports/report.html`, the page of a run, from the reports of its steps.

`render` fills the page from `sections`, each a module that builds what is shown beside
the template that shows it. `charts` draws, `wording` turns figures into text.
"""
