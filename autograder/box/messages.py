"""What judge, keeper and box say to each other.

This file is mounted into the box, so it must hold nothing that a student may not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class Rows:
    """A tensor for each of several rounds of calls: in round r it is row `first` + r of `stack`."""

    stack: Tensor
    first: int = 0


@dataclass(frozen=True)
class Model:
    """A network: built where the student's code runs, from a kind and a state dict.

    `kind` is a class that the prelude defines, or "Affine": x W + b + t c. With `notebook` the class is taken as the
    student's notebook leaves it. The state may be one vector of all parameters. In rounds of calls a network is kept by
    its `slot`, may have one vector a round, and later rounds may leave out the state.
    """

    kind: str
    state: State | Tensor | Rows | None
    options: dict[str, Any] = field(default_factory=dict)
    requires_grad: bool = True
    training: bool = True
    notebook: bool = False
    slot: str = ""
