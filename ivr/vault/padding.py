"""Lengths that say nothing: ISO/IEC 7816-4 padding, one byte 0x80 and then zeros."""


def pad(plaintext: bytes, *, size: int) -> bytes:
    """Exactly `size` bytes. Raises ValueError for a plaintext longer than size - 1."""
    if len(plaintext) >= size:
        raise ValueError(f"{len(plaintext)} bytes do not fit into {size} with their padding")
    return (plaintext + b"\x80").ljust(size, b"\0")


def unpad(padded: bytes) -> bytes:
    """What `pad` was given. Raises ValueError for bytes that it never makes."""
    plaintext = padded.rstrip(b"\0")
    if not plaintext.endswith(b"\x80"):
        raise ValueError("these bytes are not padded")
    return plaintext[:-1]
