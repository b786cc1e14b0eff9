"""Money: integer fen, and how it is written (not spoken)."""

from __future__ import annotations


def yuan(fen: int) -> str:
    """Write an amount in yuan without a unit: 350050 -> '3500.50', 350000 -> '3500'."""
    whole, rest = divmod(abs(fen), 100)
    text = f"{whole}.{rest:02d}" if rest else str(whole)
    return f"-{text}" if fen < 0 else text


def parse_yuan(text: str) -> int:
    """Read a written amount ('3,500.5', '￥3500', '3500元') as fen; ValueError names what is wrong."""
    cleaned = text.strip().replace(",", "").replace("，", "").lstrip("¥￥").removesuffix("元").strip()
    whole, _, rest = cleaned.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (rest and not (rest.isascii() and rest.isdigit())):
        raise ValueError(f"not an amount in yuan: {text!r}")
    if len(rest) > 2:
        raise ValueError(f"more than two decimals: {text!r}")
    return int(whole) * 100 + int(rest.ljust(2, "0") or "0")
