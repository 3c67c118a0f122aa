"""autograder.toml: what it may hold, and the sentence for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.settings import Settings, load_settings


def test_settings_are_read_with_a_mark_of_the_encoding_in_front(tmp_path: Path) -> None:
    """Some editors write it; no file means the defaults."""
    assert load_settings(tmp_path) == Settings()
    (tmp_path / "autograder.toml").write_bytes(b"\xef\xbb\xbfprocesses = 64\ncall_seconds = 3\n")
    assert load_settings(tmp_path) == Settings(processes=64, call_seconds=3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"processes = 2.5", "processes is 2.5; expected a whole number such as 32"),
        (b"call_seconds = 'long'", "call_seconds is 'long'; expected a number such as 10.0"),
        (b"processes = 0", "expected a number above zero"),
        (b"feedback = 'all'", "expected one of hint, example"),
        (b"proceses = 3", "unknown key 'proceses'"),
        (b"processes 3", "is not TOML: "),
        (b"feedback = '\xe9'", "is not in UTF-8"),
        (None, "cannot be read: Is a directory"),
    ],
)
def test_a_slip_is_one_sentence(tmp_path: Path, content: bytes | None, says: str) -> None:
    """It names the file and what is expected, in no words of Python's."""
    path = tmp_path / "autograder.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path)
    told = str(caught.value)
    assert says in told
    assert str(path) in told
    assert "Errno" not in told
    assert "\n" not in told
