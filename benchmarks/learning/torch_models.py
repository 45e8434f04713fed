"""The PyTorch peers: a GRU and a causal transformer over item ids.

Both read a window once and learn from every position of it by full cross-entropy, with
tied item embeddings: what a careful PyTorch user would write today.

Sources: Hidasi et al., ICLR 2016 (GRU4Rec); Kang & McAuley, ICDM 2018 (SASRec);
Klenitskiy & Vasilev, RecSys 2023 (SASRec with full cross-entropy).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Gru(nn.Module):
    """Stacked GRUs."""

    def __init__(self, width: int, num_layers: int):
        super().__init__()
        self.gru = nn.GRU(width, width, num_layers, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the states [batch, length, width]."""
        return self.gru(x)[0]


class Block(nn.Module):
    """Pre-norm causal self-attention and a feed-forward layer."""

    def __init__(self, width: int, num_heads: int, dropout: float):
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns [batch, length, width]."""
        batch, length, width = x.shape
        qkv = self.qkv(self.attention_norm(x))
        qkv = qkv.view(batch, length, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        # Pads stand at the end, where causality hides them from every real position.
        read = functional.scaled_dot_product_attention(*qkv, is_causal=True)
        read = read.transpose(1, 2).reshape(batch, length, width)
        x = x + self.dropout(self.mix(read))
        fed = self.contract(functional.gelu(self.expand(self.feed_norm(x))))
        return x + self.dropout(fed)


class Transformer(nn.Module):
    """Learnt positions, blocks, and a final norm."""

    def __init__(
        self, width: int, num_layers: int, num_heads: int, length: int, dropout: float
    ):
        super().__init__()
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        self.blocks = nn.ModuleList(
            Block(width, num_heads, dropout) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the states [batch, length, width]."""
        x = x + self.position[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class NextItem(nn.Module):
    """Item ids in, logits over all items out, at every position."""

    def __init__(
        self,
        encoder: nn.Module,
        num_items: int,
        embedding_dim: int,
        width: int,
        dropout: float,
    ):
        super().__init__()
        self.num_items = num_items
        self.embedding = nn.Embedding(num_items + 1, embedding_dim, num_items)
        nn.init.normal_(self.embedding.weight, std=embedding_dim**-0.5)
        self.start = nn.Parameter(torch.zeros(width))
        self.project = nn.Linear(embedding_dim, width)
        self.encoder = encoder
        self.output = nn.Linear(width, embedding_dim)
        self.dropout = nn.Dropout(dropout)

    def states(self, item: torch.Tensor) -> torch.Tensor:
        """Returns the query embedding before each element and after the last.

        Args:
          item: [batch, length] int64, `num_items` pads at the end.

        Returns:
          [batch, length + 1, embedding_dim].
        """
        x = self.dropout(self.project(self.embedding(item)))
        start = self.start.expand(len(x), 1, -1)
        return self.output(self.dropout(self.encoder(torch.cat([start, x], dim=1))))

    def loss(self, item: torch.Tensor, is_label: torch.Tensor) -> torch.Tensor:
        """Returns the mean cross-entropy of all labels against all items."""
        states = self.states(item[:, :-1])
        logits = states[is_label] @ self.embedding.weight[: self.num_items].T
        return functional.cross_entropy(logits, item[is_label])


def build(
    name: str,
    num_items: int,
    embedding_dim: int,
    width: int,
    num_layers: int,
    num_heads: int,
    max_length: int,
    dropout: float,
) -> NextItem:
    """Returns the model of a contender, `torch_gru` or `torch_transformer`."""
    encoder: nn.Module
    if name == "torch_gru":
        encoder = Gru(width, num_layers)
    else:
        encoder = Transformer(width, num_layers, num_heads, max_length + 1, dropout)
    return NextItem(encoder, num_items, embedding_dim, width, dropout)
