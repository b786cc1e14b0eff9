"""Regions: the province of a debtor, as it is written, from an identity card's first two digits, or a place's name."""

from __future__ import annotations

_SHORT = {
    11: "北京", 12: "天津", 13: "河北", 14: "山西", 15: "内蒙古", 21: "辽宁", 22: "吉林", 23: "黑龙江",
    31: "上海", 32: "江苏", 33: "浙江", 34: "安徽", 35: "福建", 36: "江西", 37: "山东",
    41: "河南", 42: "湖北", 43: "湖南", 44: "广东", 45: "广西", 46: "海南",
    50: "重庆", 51: "四川", 52: "贵州", 53: "云南", 54: "西藏",
    61: "陕西", 62: "甘肃", 63: "青海", 64: "宁夏", 65: "新疆", 71: "台湾", 81: "香港", 82: "澳门",
}  # fmt: skip
"""Codes of GB/T 2260, by which identity card numbers (GB 11643) begin."""


def region_of_card(card: str) -> str:
    """The province in which an identity card was first issued; '' for a code that does not exist."""
    return _SHORT.get(int(card[:2]), "") if card[:2].isdigit() else ""


def region_of_place(place: str) -> str:
    """The province that a place begins with: '江苏省常州市' is 江苏; '' for none."""
    return next((name for name in _SHORT.values() if place.startswith(name)), "")
