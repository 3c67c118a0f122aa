"""Modules that take long to import, and how a submission's cells show that they will be imported.

The keeper imports them before it forks a box, so that they are paid for once in a worker and not once in a box. It is
told names from this list alone, and nothing of a submission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Each takes a fifth of a second or more where the prelude has imported torch, matplotlib and scikit-learn.
LAZY_IMPORTS = {
    "ipywidgets": r"\bipywidgets\b|\btqdm\.notebook\b",
    "pandas": r"\bpandas\b|\bseaborn\b",
    "plotly.express": r"\bplotly\b",
    "seaborn": r"\bseaborn\b",
    "sklearn.neighbors": r"\bsklearn\.(?:neighbors|cluster|manifold)\b",
    "sympy": r"\bsympy\b|\bjit\.trace\b|\bgradcheck\b",
    # Every optimiser imports it, and so do checkpoints, profilers and derivatives by torch.func.
    "torch._dynamo": r"\boptim\b|\bcheckpoint\(|\bprofiler\b|\buse_deterministic_algorithms\b"
    r"|\b(?:func|functorch)\b.{0,80}\b(?:grad|jvp|vjp|jac|hessian|linearize)",
    "torchvision": r"\btorchvision\b",
}
_SIGNS = {module: re.compile(sign) for module, sign in LAZY_IMPORTS.items()}


def lazy_imports_of(sources: Iterable[str]) -> list[str]:
    """Return the modules of the list that these cells will import, by the look of them."""
    text = "\n".join(sources)
    return [module for module, sign in _SIGNS.items() if sign.search(text)]
