"""Where the global random generators stand: torch's, numpy's and Python's own, before and after a call."""

import hashlib
import random
from array import array
from typing import Any

import numpy
import torch

WORDS = 624  # of a Mersenne twister
MAX_REFILLS = 2_000  # of a twister's words, in one call: more than a million numbers


def twisters_now() -> tuple[Any, Any]:
    """Return where numpy's and Python's global generators stand."""
    return numpy.random.get_state(legacy=False), random.getstate()


def set_anew(numpys: Any, pythons: Any) -> bool:
    """Say whether numpy's or Python's global generator now stands where no drawing could have brought it.

    Both are Mersenne twisters: a list of words and a place in it; beyond its end come the next words.
    """
    numpys_now, pythons_now = twisters_now()
    key, words = numpys_now["state"]["key"], pythons_now[1][:WORDS]
    if not numpy.array_equal(numpys["state"]["key"], key):
        drawn = numpy.random.RandomState(0)
        drawn.set_state(numpys)
        if not any(numpy.array_equal(_after_refill(drawn), key) for _ in range(MAX_REFILLS)):
            return True
    if pythons[1][:WORDS] == words:
        return False
    other = random.Random(0)
    other.setstate(pythons)
    return all(_words_after_refill(other) != words for _ in range(MAX_REFILLS))


def _after_refill(generator: numpy.random.RandomState) -> Any:
    generator.bytes(4 * WORDS)
    return generator.get_state(legacy=False)["state"]["key"]


def _words_after_refill(generator: random.Random) -> tuple[int, ...]:
    generator.getrandbits(32 * WORDS)
    words: tuple[int, ...] = generator.getstate()[1][:WORDS]
    return words


def digests() -> list[str]:
    """Return digests of where the global generators stand; only torch tells by itself that it was seeded again."""
    twister: Any = numpy.random.get_state(legacy=False)["state"]
    version, words, second_normal = random.getstate()
    states = (  # the words themselves, since a repr of them takes a millisecond
        torch.get_rng_state().numpy().tobytes(),
        twister["key"].tobytes() + str(twister["pos"]).encode(),
        array("Q", words).tobytes() + f"{version} {second_normal}".encode(),
    )
    return [hashlib.sha256(state).hexdigest()[:16] for state in states]
