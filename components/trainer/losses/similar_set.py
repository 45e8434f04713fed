"""The similar-set term: what resembles a disliked item is not to be recommended.

A rating log hardly shows what people want after a dislike: they rate what they chose to
watch, and go on as before. The term states the intent instead of waiting for behaviour
to show it. At the query that is served right after a disliked item y, moved by the
avoidance path (`avoidance/path.py`), which alone learns from it, it adds

    -log(1 - sum of p_j over the candidates j that resemble y)

Candidates resemble y by its creator, by its category set, and by what the model itself
has learnt: the nearest by the cosine of their embeddings. The last kind is not a fixed
set; no gradient flows through it, so that items do not move apart to escape the term.
"""

from __future__ import annotations

import tensorflow as tf

from components.trainer.losses import chunks, losses, softmax


def loss(
    query: tf.Tensor,
    label_embedding: tf.Tensor,
    corpus: softmax.Corpus,
    row: tf.Tensor,
    weight: tf.Tensor,
    key: tf.Tensor,
    num_neighbours: int,
    num_learnt: int,
) -> tf.Tensor:
    """Returns the weighted sum over disliked items.

    Args:
      query: [num_disliked, dim] float32 after the item.
      label_embedding: [num_disliked, dim] float32 of the items.
      corpus: the candidates; drawn ones are corrected.
      row: [num_disliked] int32 of the items.
      weight: [num_disliked] float32.
      key: [num_candidates, 2] int32 creator and category set of every candidate; -1:
        none (`candidates.similar_set_key`).
      num_neighbours: nearest candidates that count as similar, the item included; of
        drawn candidates as large a share. 0: none.
      num_learnt: leading dimensions of the embeddings that say what is near.

    Returns:
      [] float32.
    """
    own = tf.gather(key, row)
    # What has no creator or category set resembles nothing by it, itself included.
    own = tf.where(own < 0, own - 1, own)
    others = tf.gather(key, corpus.row)
    share = num_neighbours / key.shape[0]

    def piece_loss(
        query: tf.Tensor,
        label_embedding: tf.Tensor,
        candidate: tf.Tensor,
        own: tf.Tensor,
        weight: tf.Tensor,
    ) -> tf.Tensor:
        logits = corpus._replace(embedding=candidate).scores(query)
        same = (own[:, :1] == others[None, :, 0]) | (own[:, 1:] == others[None, :, 1])
        if num_neighbours:
            learnt = label_embedding[:, :num_learnt], candidate[:, :num_learnt]
            same |= _nearest(*learnt, share)
        return tf.reduce_sum(weight * losses.not_to_recommend_set_loss(logits, same))

    return chunks.sum_in_chunks(
        piece_loss, query, label_embedding, corpus.embedding, (own, weight)
    )


def _nearest(item: tf.Tensor, candidate: tf.Tensor, share: float) -> tf.Tensor:
    """Returns [num_items, num_candidates] bool, the nearest share by cosine."""
    item, candidate = (
        tf.math.l2_normalize(tf.stop_gradient(t), axis=1) for t in (item, candidate)
    )
    cosine = tf.matmul(item, candidate, transpose_b=True)
    size = tf.shape(candidate)[0]
    wanted = tf.cast(tf.math.round(share * tf.cast(size, tf.float32)), tf.int32)
    bound = tf.math.top_k(cosine, tf.clip_by_value(wanted, 1, size)).values[:, -1:]
    return cosine >= bound
