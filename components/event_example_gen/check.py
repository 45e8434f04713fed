"""Cheap checks of an event log before anything runs; needs neither Beam nor TFX."""

from __future__ import annotations

from components.event_example_gen import mapping
from components.ingestion import check_columns, locations, text_blocks
from schema import errors, settings


def check_source(
    data: settings.DataSettings,
    event_mapping: settings.EventMapping,
    feedback: settings.FeedbackSettings,
) -> None:
    """Raises if the event log cannot be what the settings say, before anything runs.

    Looks at names, headers and schemas of files on this machine; a log on another
    file system is looked at when the step runs.

    Raises:
      InputError: no such file, an unknown format, a mapped column that a file lacks,
        or a mapping to an action that the feedback policy does not define.
    """
    check_actions(event_mapping, feedback)
    if locations.is_remote(data.events):
        return
    files = locations.local_files(data.events, "data.events")
    check_columns.check(
        files,
        mapping.column_uses(event_mapping),
        mapping.required_columns(event_mapping),
        "data.source",
        text_blocks.Limits.of(data),
    )


def check_actions(
    event_mapping: settings.EventMapping, feedback: settings.FeedbackSettings
) -> None:
    """Raises if the mapping produces an action that the policy does not know.

    Raises:
      InputError: names the action and the policy's actions.
    """
    if event_mapping.columns.action:
        return
    produced = [rule.action for rule in event_mapping.action_rules]
    if event_mapping.default_action:
        produced.append(event_mapping.default_action)
    if not produced:
        raise errors.InputError(
            "the mapping has neither `columns.action` nor `action_rules` nor a "
            "`default_action`; give it one of them, or no event has an action."
        )
    for action in produced:
        if action not in feedback.actions:
            raise errors.InputError(
                f"the mapping produces the action {action!r}, which "
                f"`feedback.actions` does not define; it defines "
                f"{', '.join(feedback.names())}."
            )
