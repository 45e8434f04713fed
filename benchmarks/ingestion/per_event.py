"""The Beam pipeline one would write first: an object an event, a message an example."""

from __future__ import annotations

import json

import apache_beam as beam
from tensorflow.core.example import example_pb2

from benchmarks.ingestion import rules


def window_bounds(num: int) -> list[tuple[str, int, int, int]]:
    """Returns (split, start, first label, end) of a user's windows, leave-last-out."""
    if num >= 3:
        ranges = [(0, num - 2), (num - 2, num - 1), (num - 1, num)]
    else:
        ranges = [(0, num)]
    result = []
    for split, (label, last) in zip(rules.SPLITS, ranges, strict=False):
        while label < last:
            end = min(last, max(0, label - rules.MIN_CONTEXT) + rules.MAX_LENGTH)
            result.append((split, max(0, end - rules.MAX_LENGTH), label, end))
            label = end
    return result


@beam.typehints.with_output_types(tuple[str, tuple])
class ToEvent(beam.DoFn):
    """Checks a row."""

    def process(self, row):
        """Yields the event of a row, or the row on the output `rejected`."""
        user, item, time = row["user_id"], row["item_id"], row["timestamp"]
        if (
            user
            and item
            and rules.MIN_TIMESTAMP_MS <= time < rules.MAX_TIMESTAMP_MS
            and row["action"] in rules.ACTIONS
        ):
            yield user, (time, item, row["action"], row["value"])
        else:
            yield beam.pvalue.TaggedOutput("rejected", json.dumps(row))


def _order(event):
    time, item, action, value = event
    return time, item, action, float("-inf") if value is None else value


def _user_examples(element):
    user, events = element
    ordered = sorted(set(events), key=_order)
    merged: list[tuple] = []
    for time, item, action, value in ordered:
        if merged and merged[-1][:2] == (time, item):
            actions = merged[-1][2] | {action}
            merged[-1] = (
                time,
                item,
                actions,
                merged[-1][3] if value is None else value,
            )
        else:
            merged.append((time, item, {action}, value))
    for split, start, label, end in window_bounds(len(merged)):
        example = example_pb2.Example()
        feature = example.features.feature
        feature["user_id"].bytes_list.value.append(user.encode())
        for position in range(start, end):
            time, item, actions, value = merged[position]
            feature["item_id"].bytes_list.value.append(item.encode())
            feature["timestamp"].int64_list.value.append(time)
            feature["action"].bytes_list.value.append(
                "|".join(sorted(actions)).encode()
            )
            feature["value"].float_list.value.append(value or 0.0)
            feature["value_present"].int64_list.value.append(int(value is not None))
            feature["is_label"].int64_list.value.append(int(position >= label))
        yield split, example.SerializeToString()


def run(log: str, output: str, beam_args: list[str]) -> None:
    """Runs a pipeline whose elements are events."""
    with beam.Pipeline(argv=["--runner=FnApiRunner", *beam_args]) as pipeline:
        checked = (
            pipeline
            | beam.io.ReadFromParquet(f"{log}/*.parquet")
            | beam.ParDo(ToEvent()).with_outputs("rejected", main="events")
        )
        _ = checked["rejected"] | beam.io.WriteToText(
            f"{output}/report/rejected", file_name_suffix=".jsonl.gz"
        )
        examples = checked["events"] | beam.GroupByKey() | beam.FlatMap(_user_examples)
        for split in rules.SPLITS:
            _ = (
                examples
                | f"Only-{split}" >> beam.Filter(lambda e, s=split: e[0] == s)
                | f"Bytes-{split}" >> beam.Map(lambda e: e[1])
                | f"Write-{split}"
                >> beam.io.WriteToTFRecord(
                    f"{output}/Split-{split}/examples",
                    file_name_suffix=".gz",
                    num_shards=4,
                )
            )
