"""What one request may ask for beside the history: which signature it needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from schema import errors
from serving.bundle import signature


class Wishes(NamedTuple):
    """Of one request; the defaults wish for nothing."""

    user_control: float | None = None
    """How far dislikes are answered, [0, 2]; None: as the model is served."""
    most_of_creator: int = 0
    """Items of one creator in a slate; 0: any number."""
    most_of_category: int = 0
    """Items of one category in a slate; 0: any number."""

    def signature_name(self) -> str:
        """Returns the signature that grants them.

        Example:
          >>> Wishes().signature_name(), Wishes(most_of_creator=2).signature_name()
          ('serving_default', 'diverse')
        """
        if self.most_of_creator or self.most_of_category:
            return signature.DIVERSE_SIGNATURE
        if self.user_control is not None:
            return signature.CONTROLLED_SIGNATURE
        return signature.DEFAULT_SIGNATURE

    def inputs(self, num_rows: int) -> signature.Tensors:
        """Returns what that signature takes beside the inputs of the default one.

        Args:
          num_rows: of the request; all rows wish the same.

        Raises:
          InputError: one is out of range.
        """
        self._check()
        control = np.nan if self.user_control is None else self.user_control
        values = {
            signature.USER_CONTROL: np.full(num_rows, control, np.float32),
            signature.MOST_OF_CREATOR: np.full(
                num_rows, self.most_of_creator, np.int32
            ),
            signature.MOST_OF_CATEGORY: np.full(
                num_rows, self.most_of_category, np.int32
            ),
        }
        taken = {
            signature.DEFAULT_SIGNATURE: (),
            signature.CONTROLLED_SIGNATURE: (signature.USER_CONTROL,),
            signature.DIVERSE_SIGNATURE: tuple(values),
        }[self.signature_name()]
        return {name: values[name] for name in taken}

    def _check(self) -> None:
        most = signature.MAX_USER_CONTROL
        if self.user_control is not None and not 0.0 <= self.user_control <= most:
            raise errors.InputError(
                f"`user_control` must be in [0, {most:g}]; got {self.user_control}"
            )
        for name in ("most_of_creator", "most_of_category"):
            if not 0 <= getattr(self, name) < 2**31:
                raise errors.InputError(
                    f"`{name}` must be at least 1, or 0 for no limit; got "
                    f"{getattr(self, name)}"
                )
