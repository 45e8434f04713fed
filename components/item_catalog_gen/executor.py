"""Executor of ItemCatalogGen."""

from __future__ import annotations

import os

from tfx.types import artifact_utils, standard_component_specs

from components.ingestion import check_columns, counts, executor, text_blocks
from components.item_catalog_gen import check, plan, transforms
from components.specs import Artifacts, Properties
from schema import errors, features, files, reports, settings

EVENT_MAPPING = "event_mapping"
CATALOG_REPORT = "catalog_report"


class CatalogExecutor(executor.SourceExecutor):
    """Writes one example per item and the report of the catalogue."""

    def Do(
        self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Properties
    ) -> None:
        """Ingests the catalogue, or the items of the event log where there is none.

        Args:
          input_dict: `ingestion_report` of the log, optional: its items are compared.
          output_dict: `examples`: Examples with the split catalog; `catalog_report`:
            CatalogReport.
          exec_properties: `input_base`, `input_config`, and as canonical JSON `data`,
            `mapping` (of items) and `event_mapping`.

        Raises:
          InputError: the source is missing, unreadable, without a mapped column, or
            has too many refused rows. The report then lies in `failed_ingestion`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        data = settings.DataSettings.from_json(exec_properties[executor.DATA])
        item_mapping = settings.ItemMapping.from_json(exec_properties[executor.MAPPING])
        of_events = settings.EventMapping.from_json(exec_properties[EVENT_MAPPING])
        location = data.items or data.events
        source = self.source_files(exec_properties, location, check.source_key(data))
        uses, required = check.needed_columns(data, item_mapping, of_events)
        limits = text_blocks.Limits.of(data)
        check_columns.check(source, uses, required, "data.source", limits)
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        report_uri = artifact_utils.get_single_uri(output_dict[CATALOG_REPORT])
        logged = ""
        if of_log := input_dict.get(executor.INGESTION_REPORT):
            logged = os.path.join(
                artifact_utils.get_single_uri(of_log), counts.ITEMS_FILE
            )
        catalog = plan.CatalogPlan(
            files=tuple(source),
            mapping=item_mapping,
            event_item_column="" if data.items else of_events.columns.item_id,
            num_shards=data.example_shards,
            examples_dir=self.examples_dirs(examples, [features.CATALOG])[
                features.CATALOG
            ],
            report_dir=report_uri,
            data=data,
            logged_items=logged,
        )
        self.run_beam(transforms.IngestItems(catalog))
        _check_report(report_uri, location, data)


def _check_report(report_uri: str, location: str, data: settings.DataSettings) -> None:
    """Raises if the counts do not add up, or refuse the catalogue."""
    path = os.path.join(report_uri, reports.CATALOG_FILE)
    found = reports.parse(files.read_bytes(path), reports.Catalog, path)
    with executor.rescued_report(report_uri):
        counts.check(
            found.items_read,
            found.items_kept,
            found.duplicates,
            found.items_rejected,
            data.max_rejected_share,
            location,
            report_uri,
        )
        _check_coverage(found, location, data)


def _check_coverage(
    found: reports.Catalog, location: str, data: settings.DataSettings
) -> None:
    """Raises if too many items of the log are unknown to the catalogue."""
    missing = found.log_items_not_in_catalog
    if missing is None or found.items_in_log is None:
        return
    num_logged = found.items_in_log + missing
    if missing and not found.items_in_log:
        raise errors.InputError(
            f"{location} holds none of the {missing} items of the log: the ids are of "
            f"different worlds, or written differently. `heed inspect` shows both; "
            f"name the right column in the mapping, or give the log's catalogue."
        )
    if missing > data.max_share_not_in_catalog * num_logged:
        raise errors.InputError(
            f"{location} lacks {missing} of the {num_logged} items of the log, more "
            f"than `data.max_share_not_in_catalog` = {data.max_share_not_in_catalog:g} "
            f"allows. Give the catalogue of the log's time, or raise the share."
        )
