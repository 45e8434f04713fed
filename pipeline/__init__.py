"""The pipeline: its configuration, its graph, and what runs it or reads its runs.

`config` and `pipeline` say what is run; `runners` runs it here, on Kubeflow or on
Airflow; `commands` is the command line. Three more rooms stand here because they are
commands of the same program, need the configuration and the layout of a run's
directory, and are imported by nothing else: `report` renders the page of a run,
`studies` trains more than one model, `synthesize` writes a log to train on. `metadata`
reads and amends what runs left in ML Metadata.
"""
