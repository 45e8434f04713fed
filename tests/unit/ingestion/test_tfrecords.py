"""TFRecord frames and gzip members."""

import gzip
import struct

import pytest

from components.ingestion import tfrecords


def test_a_frame_with_its_published_checksum():
    # CRC-32C of "123456789" is 0xE3069283 (the check value of its definition);
    # masked as TFRecord does: rotate right by 15, add 0xA282EAD8.
    crc = 0xE3069283
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    framed = tfrecords.frame(b"123456789")
    assert framed[:8] == struct.pack("<Q", 9)
    assert framed[12:21] == b"123456789"
    assert framed[21:] == struct.pack("<I", masked)


@pytest.mark.parametrize("num_records", [0, 1, 512, 513, 2_000])
def test_members_join_to_all_frames_in_order(num_records):
    records = [b"%d" % number for number in range(num_records)]
    data = tfrecords.compressed(records)
    assert gzip.decompress(data) == b"".join(map(tfrecords.frame, records))
    assert data == tfrecords.compressed(records)
    assert data[4:8] == b"\0\0\0\0"  # no time stamp in the header
