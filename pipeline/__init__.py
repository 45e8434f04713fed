"""The pipeline: its configuration, its graph, and what runs it or reads its runs.

`config` says what is run and `pipeline` wires it; `refresh` serves a newer catalogue
without training. `runners` runs both here, on Kubeflow or on Airflow, and `commands` is
the command line. The other rooms stand here because they are commands of the same
program: they need the configuration or the layout of a run's directory, and no step
imports them. `metadata` reads and amends what runs left in ML Metadata, `report`
renders the page of a run, `studies` trains more than one model, and `synthesize` writes
a log to train on.
"""
