"""What a file is, by its first bytes; only kinds listed here are taken."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    media: str
    endings: frozenset[str]
    heads: tuple[bytes, ...]
    holds: bytes = b""  # and this further on, where the head alone says too little
    at: int = 0


KINDS = (
    Kind("application/pdf", frozenset({"pdf"}), (b"%PDF-",)),
    Kind("image/png", frozenset({"png"}), (b"\x89PNG\r\n\x1a\n",)),
    Kind("image/jpeg", frozenset({"jpg", "jpeg"}), (b"\xff\xd8\xff",)),
    Kind("image/gif", frozenset({"gif"}), (b"GIF87a", b"GIF89a")),
    Kind("image/webp", frozenset({"webp"}), (b"RIFF",), holds=b"WEBP", at=8),
    Kind("image/bmp", frozenset({"bmp"}), (b"BM",)),
    Kind("image/tiff", frozenset({"tif", "tiff"}), (b"II*\x00", b"MM\x00*")),
    Kind("image/heic", frozenset({"heic", "heif"}), (b"ftyp",), at=4),
    Kind("application/vnd.ms-office", frozenset({"doc", "xls", "ppt", "wps", "et"}), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)),
    Kind("application/vnd.openxmlformats-officedocument", frozenset({"docx", "xlsx", "pptx"}), (b"PK\x03\x04",)),
)  # fmt: skip
TEXT = Kind("text/plain", frozenset({"txt", "csv", "log"}), ())


def _fits(kind: Kind, content: bytes) -> bool:
    if kind.holds:
        return content.startswith(kind.heads) and content[kind.at : kind.at + len(kind.holds)] == kind.holds
    return any(content[kind.at : kind.at + len(head)] == head for head in kind.heads)


def kind_of(name: str, content: bytes) -> Kind | None:
    """The kind that both the name's ending and the content say, or None: a page, a program, or not what it claims."""
    ending = name.rpartition(".")[2].lower()
    if ending in TEXT.endings:
        return None if b"\x00" in content or content.startswith(b"%PDF") else TEXT
    return next((kind for kind in KINDS if ending in kind.endings and _fits(kind, content)), None)
