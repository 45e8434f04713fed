"""Names of the tf.Example features, before and after Transform.

The raw names are written by the ExampleGens and described by the `.pbtxt` schemas
beside this module; the transformed names are written by Transform and read by the
Trainer and by the serving graph.
"""

# Event examples: one window of one user's history; all lists are aligned.
USER_ID = "user_id"
ITEM_ID = "item_id"
TIMESTAMP = "timestamp"
ACTION = "action"
VALUE = "value"
VALUE_PRESENT = "value_present"
IS_LABEL = "is_label"

# Catalogue examples: one item.
CREATOR_ID = "creator_id"
CATEGORIES = "categories"
TITLE = "title"
IMAGE_URL = "image_url"
"""http(s) address of a picture, for people; the model does not read it."""
ATTRIBUTES = "attributes"
"""`name=value` of each declared feature (`data.item_features`) that an item has."""
CREATED_AT = "created_at"
WITHDRAWN = "withdrawn"
"""int64, 1: never to be recommended; 0 or absent: may be."""

# Transformed events.
ACTION_SET = "action_set"
"""int64 bit mask of the element's actions; bit i is `FeedbackSettings.names()[i]`."""
LOG_GAP = "log_gap"
"""float32, log(1 + minutes since the element before), 0 for the first one."""
KEPT_LOG_GAP = "kept_log_gap"
"""The same since the last element before that has no negative action."""

# Transformed catalogue. Index 0 means missing or out of vocabulary.
CREATOR_INDEX = "creator_index"
CATEGORY_INDEX = "category_index"
ATTRIBUTE_INDEX = "attribute_index"
TITLE_TOKEN = "title_token"
"""int64 hash of each word of the title, in [0, 2**31)."""

# Vocabulary files of the two Transforms.
ITEM_VOCABULARY = "item"
ITEM_COUNTS = "item_counts"
CREATOR_VOCABULARY = "creator"
CATEGORY_VOCABULARY = "category"
ATTRIBUTE_VOCABULARY = "attribute"

ACTION_SEPARATOR = "|"
TRAIN, EVAL, TEST = SPLITS = ("train", "eval", "test")
JUDGE = "judge"
"""Split of the users whose events nothing learns from (`responsiveness.judge_share`);
`SPLITS` is without it."""
CATALOG = "catalog"
