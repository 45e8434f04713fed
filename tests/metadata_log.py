"""A metadata store in memory, filled as TFX fills it."""

import json

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

Event = metadata_store_pb2.Event
Execution = metadata_store_pb2.Execution


class Log:
    """Writes runs, nodes, executions and artifacts."""

    def __init__(self):
        connection = metadata_store_pb2.ConnectionConfig()
        connection.fake_database.SetInParent()
        self.store = metadata_store.MetadataStore(connection)
        self.types = {
            name: self.store.put_context_type(metadata_store_pb2.ContextType(name=name))
            for name in ("pipeline_run", "node")
        }
        self.execution_type = self.store.put_execution_type(
            metadata_store_pb2.ExecutionType(name="Step")
        )
        self.artifact_type = self.store.put_artifact_type(
            metadata_store_pb2.ArtifactType(
                name="Thing", properties={"split_names": metadata_store_pb2.STRING}
            )
        )

    def context(self, kind, name):
        found = self.store.get_context_by_type_and_name(kind, name)
        if found is not None:
            return found.id
        context = metadata_store_pb2.Context(type_id=self.types[kind], name=name)
        return self.store.put_contexts([context])[0]

    def artifact(self, uri, splits=(), **properties):
        artifact = metadata_store_pb2.Artifact(type_id=self.artifact_type, uri=uri)
        if splits:
            names = json.dumps(list(splits))
            artifact.properties["split_names"].string_value = names
        for name, value in properties.items():
            kind = {int: "int_value", str: "string_value"}[type(value)]
            setattr(artifact.custom_properties[name], kind, value)
        return self.store.put_artifacts([artifact])[0]

    def execute(self, run, node, outputs, inputs=(), state=Execution.COMPLETE):
        (execution,) = self.store.put_executions(
            [Execution(type_id=self.execution_type, last_known_state=state)]
        )
        for context in (
            self.context("pipeline_run", run),
            self.context("node", f"heed.{node}"),
        ):
            self.store.put_attributions_and_associations(
                [],
                [
                    metadata_store_pb2.Association(
                        execution_id=execution, context_id=context
                    )
                ],
            )
        for kind, pairs in ((Event.OUTPUT, outputs.items()), (Event.INPUT, inputs)):
            for key, artifact in pairs:
                event = Event(artifact_id=artifact, execution_id=execution, type=kind)
                event.path.steps.add().key = key
                event.path.steps.add().index = 0
                self.store.put_events([event])
