"""Applies a transform graph to files of examples, one file in and one file out."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import apache_beam as beam
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import impl_helper
from tfx_bsl.coders import example_coder

from components.ingestion import tfrecords
from schema import files

# Windows of a hundred events: some 2 MB a batch, and a gzip member.
_BATCH_EXAMPLES = 512


class Shard(NamedTuple):
    """A file to transform."""

    source: str
    """Gzip TFRecords of raw examples."""
    target: str
    """Gzip TFRecords of transformed examples, in the same order."""


def encoder(transform_dir: str) -> Callable[[tf.Tensor], list[bytes]]:
    """Returns the function from serialised raw examples to transformed ones.

    Args:
      transform_dir: what Transform writes: the graph, and the schemas on both sides.
    """
    output = tft.TFTransformOutput(transform_dir)
    raw_spec = output.raw_feature_spec()
    layer = output.transform_features_layer()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    @tf.autograph.experimental.do_not_convert
    def transform(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        transformed: dict[str, tf.Tensor] = layer(
            tf.io.parse_example(serialized, raw_spec)
        )
        return transformed

    schema = output.transformed_metadata.schema
    converter = impl_helper.make_tensor_to_arrow_converter(schema)
    coder = example_coder.RecordBatchToExamplesEncoder(schema)

    def encode(serialized: tf.Tensor) -> list[bytes]:
        return list(coder.encode(converter.convert(transform(serialized))))

    return encode


@functools.lru_cache(maxsize=1)
def _encoder(transform_dir: str) -> Callable[[tf.Tensor], list[bytes]]:
    return encoder(transform_dir)


def _members(shard: Shard, transform_dir: str) -> Iterator[bytes]:
    """Yields what the file of transformed examples holds, piece by piece."""
    encode = _encoder(transform_dir)
    records = tf.data.TFRecordDataset(shard.source, compression_type="GZIP")
    # One batch compresses while the next is made. Nothing is an empty member, and no
    # other member is empty: readers of TFRecords take one for the end.
    pending = None
    for batch in records.batch(_BATCH_EXAMPLES).prefetch(1):
        following = tfrecords.Compression(encode(batch))
        if pending is not None:
            yield pending.result()
        pending = following
    yield (pending or tfrecords.Compression([])).result()


def write(shard: Shard, transform_dir: str) -> None:
    """Writes the transformed examples of a file."""
    files.write_atomically(shard.target, _members(shard, transform_dir))


@dataclasses.dataclass(eq=False)
class ApplyGraph(beam.PTransform):
    """Transforms files, each where there is a worker for it."""

    shards: list[Shard]
    transform_dir: str

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Returns a None for each file."""
        return (
            pipeline
            | "Files" >> beam.Create(self.shards)
            | "Spread" >> beam.Reshuffle()
            | "Write" >> beam.Map(write, self.transform_dir)
        )
