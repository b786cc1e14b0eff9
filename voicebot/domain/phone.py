"""How a phone number is shown: its ends only, enough to recognise, too little to ring."""

from __future__ import annotations


def mask_number(number: str) -> str:
    """138****1234; of a sip: URI the beginning of the user part and the host."""
    if number.startswith(("sip:", "sips:")):
        user, at, host = number.partition(":")[2].partition("@")
        return f"{user[:2]}***{at}{host}"
    digits = number.removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else f"***{digits[-2:]}"
