"""What all contenders agree on: actions, ranges and windows."""

SPLITS = ("train", "eval", "test")
ACTIONS = ("view", "like", "skip", "dislike")
MIN_TIMESTAMP_MS = 315_532_800_000
MAX_TIMESTAMP_MS = 4_102_444_800_000
MAX_LENGTH = 100
MIN_CONTEXT = 20
