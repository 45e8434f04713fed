"""ItemCatalogGen: an item catalogue in, one example per item out."""

from __future__ import annotations

from tfx import types
from tfx.components.example_gen import component as example_gen
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts

from components import artifacts, specs
from components.ingestion import driver
from components.ingestion import executor as ingestion
from components.item_catalog_gen import executor
from schema import settings


class ItemCatalogGenSpec(types.ComponentSpec):
    """See `executor.CatalogExecutor.Do`."""

    PARAMETERS = ingestion.SOURCE_PARAMETERS | specs.strings(executor.EVENT_MAPPING)
    INPUTS = specs.optional(ingestion_report=artifacts.IngestionReport)
    OUTPUTS = specs.channels(
        examples=standard_artifacts.Examples, catalog_report=artifacts.CatalogReport
    )


class ItemCatalogGen(example_gen.FileBasedExampleGen):
    """Ingests an item catalogue, or the items of the event log where there is none.

    Outputs:
      examples: the split catalog; one example is one item, see `schema.features`.
      catalog_report: what became of each row.
    """

    SPEC_CLASS = ItemCatalogGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.CatalogExecutor)
    DRIVER_CLASS = driver.SourceDriver

    def __init__(
        self,
        data: settings.DataSettings,
        mapping: settings.ItemMapping,
        event_mapping: settings.EventMapping,
        ingestion_report: types.BaseChannel | None = None,
    ):
        """Wires the component.

        Args:
          data: where the catalogue lies; `data.events` counts only if `data.items` is
            empty.
          mapping: from the catalogue's columns to canonical items.
          event_mapping: the log's, of which the item id is used.
          ingestion_report: of the log, whose items the catalogue is compared with;
            absent, or without a catalogue: not compared.
        """
        # Only what matters here enters the cache key: a new log or another split
        # does not make a catalogue stale.
        own = settings.DataSettings(
            events="" if data.items else data.events,
            items=data.items,
            item_features=data.item_features,
            max_rejected_share=data.max_rejected_share,
            items_not_in_log=data.items_not_in_log,
            items_not_in_catalog=data.items_not_in_catalog,
            max_share_not_in_catalog=data.max_share_not_in_catalog,
            example_shards=data.example_shards,
        )
        spec = specs.fill(
            ItemCatalogGenSpec,
            executor.__name__,
            **driver.source_properties(
                data.items or data.events, 1 if data.items else data.window_spans
            ),
            data=own.to_json(),
            mapping=mapping.to_json(),
            event_mapping=(
                settings.EventMapping() if data.items else event_mapping
            ).to_json(),
            ingestion_report=ingestion_report if data.items else None,
        )
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
