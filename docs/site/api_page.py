"""Reference of the modules that an application or an extension imports."""

from __future__ import annotations

_MODULES = (
    "serving.client",
    "serving.requests",
    "serving.bundle.signature",
    "schema.errors",
    "schema.files",
    "schema.reports.files",
    "components.trainer.losses.feedback_retrieval",
    "components.trainer.losses.corpus",
    "components.promotion_gate.rule",
    "components.promotion_gate.rules",
    "components.responsiveness.similarity",
)


def render() -> str:
    """Returns the page; mkdocstrings reads the docstrings."""
    parts = ["# API\n\nWhat an application or an extension imports.\n"]
    for module in _MODULES:
        parts.append(f"## `{module}`\n\n::: {module}\n")
    return "\n".join(parts)
