"""Makes wheels: of this very package, from a checkout and from an installed one alike, and of what students get."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from autograder.errors import GraderFault

PACKAGE = Path(__file__).resolve().parents[1]
DISTRIBUTION = "autograder"
WHEEL = "Wheel-Version: 1.0\nGenerator: autograder\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
COMMANDS = {"entry_points.txt": "[console_scripts]\nautograder = autograder.cli:command\n"}
_CLOCK = (2020, 1, 1, 0, 0, 0)  # the same files give the same bytes


def own_wheel() -> tuple[str, bytes]:
    """Return the file name and the content of a wheel of this package, its dependencies as they were declared.

    Raises GraderFault where the package was never installed, so that nothing says what it depends on.
    """
    try:
        about = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise GraderFault("autograder is not installed here, so its dependencies are not known; install it") from None
    files = {f"{DISTRIBUTION}/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes() for path in _files()}
    return wheel(DISTRIBUTION, about.version, files, {"METADATA": about.read_text("METADATA") or "", **COMMANDS})


def wheel(name: str, version: str, files: Mapping[str, bytes], about: Mapping[str, str]) -> tuple[str, bytes]:
    """Return the file name and the content of a wheel of Python alone.

    `files` are those of its packages, `about` those that say what it is, beside what every wheel says.
    """
    info = f"{name}-{version}.dist-info"
    content = {**files, **{f"{info}/{file}": text.encode() for file, text in {**about, "WHEEL": WHEEL}.items()}}
    record = "".join(f"{file},{_digest(data)},{len(data)}\n" for file, data in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return f"{name}-{version}-py3-none-any.whl", zipped(content)


def constraints() -> str:
    """Return the versions that are installed here, so that what marks elsewhere is what was tried here.

    Without the part behind a `+`: which build of torch it is, is the machine's business.
    """
    found = {about.metadata["Name"]: about.version.partition("+")[0] for about in metadata.distributions()}
    found.pop(DISTRIBUTION, None)
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def zipped(files: Mapping[str, bytes], programs: Iterable[str] = ()) -> bytes:
    """Return a zip of these files; `programs` may be run."""
    runnable = set(programs)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _CLOCK)
            entry.external_attr = (0o100755 if name in runnable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
