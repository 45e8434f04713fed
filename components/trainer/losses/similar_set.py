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

from collections.abc import Callable

import tensorflow as tf

from components.trainer.losses import chunks, corpus, feedback_retrieval


def loss(
    query: tf.Tensor,
    label_embedding: tf.Tensor,
    candidates: corpus.Corpus,
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
      candidates: what is scored; drawn ones are corrected.
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
    others = tf.gather(key, candidates.candidate_id)
    share = num_neighbours / key.shape[0]

    def piece_loss(
        query: tf.Tensor,
        label_embedding: tf.Tensor,
        candidate: tf.Tensor,
        own: tf.Tensor,
        weight: tf.Tensor,
    ) -> tf.Tensor:
        logits = candidates._replace(embedding=candidate).scores(query)
        same = (own[:, :1] == others[None, :, 0]) | (own[:, 1:] == others[None, :, 1])
        if num_neighbours:
            learnt = label_embedding[:, :num_learnt], candidate[:, :num_learnt]
            same |= _nearest(*learnt, share)
        return tf.reduce_sum(weight * not_to_recommend_set_loss(logits, same))

    return chunks.sum_in_chunks(
        piece_loss, query, label_embedding, candidates.embedding, (own, weight)
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


def not_to_recommend_set_loss(logits: tf.Tensor, members: tf.Tensor) -> tf.Tensor:
    """Returns the negative log-likelihood of retrieving no member of a set.

    loss_i = -log(1 - sum over members j of softmax(logits_i)[j])
           = softplus(logsumexp(members) - logsumexp(others))

    The second form has no 1 - p and stays finite as p -> 1.

    Args:
      logits: [batch, num_candidates] float32.
      members: [batch, num_candidates] bool; a row may be all False (loss 0). A row
        that is all True has no candidate left to recommend and also gives 0.

    Returns:
      [batch] float32, unreduced.
    """

    @tf.custom_gradient
    def odds(logits: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        inside, of_members = corpus.partition(
            tf.where(members, logits, feedback_retrieval.MASKED_LOGIT)
        )
        outside, of_others = corpus.partition(
            tf.where(members, feedback_retrieval.MASKED_LOGIT, logits)
        )

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return upstream[:, None] * (of_members - of_others)

        return inside - outside, gradient

    proper = tf.reduce_any(members, axis=1) & ~tf.reduce_all(members, axis=1)
    return tf.where(proper, tf.nn.softplus(odds(logits)), 0.0)
