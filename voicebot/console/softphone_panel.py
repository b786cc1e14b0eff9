"""The telephone on a page: a place for it, its words and its files; static/softphone.js brings it to life."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from nicegui import ui

from voicebot import __version__
from voicebot.console.markup import tag
from voicebot.console.words import LANGUAGES, Words

if TYPE_CHECKING:
    from voicebot.console.shell import Visit

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "phone": ("电话", "Telephone"),
    "off": ("电话已关闭", "Telephone off"),
    "off.lead": ("开启后用耳机和浏览器接听。", "Switch on to take calls with headset and browser."),
    "turn_on": ("开启电话", "Switch on"),
    "turn_off": ("关闭电话", "Switch off"),
    "starting": ("正在接通…", "Connecting…"),
    "on": ("可以来电", "Ready to ring"),
    "ringing": ("来电", "Incoming call"),
    "talking": ("通话中", "In a call"),
    "reconnecting": ("网络中断，正在重连…", "Connection lost, reconnecting…"),
    "answer": ("接听", "Answer"),
    "decline": ("拒接", "Decline"),
    "mute": ("静音", "Mute"),
    "unmute": ("取消静音", "Unmute"),
    "hangup": ("挂断", "Hang up"),
    "keys": ("拨号键盘", "Keys"),
    "devices": ("设备", "Devices"),
    "microphone": ("麦克风", "Microphone"),
    "speaker": ("耳机", "Headphones"),
    "system": ("系统默认", "System default"),
    "clean": ("降噪与回声消除", "Noise and echo suppression"),
    "level.me": ("我", "Me"),
    "level.far": ("对方", "Them"),
    "jitter": ("抖动", "Jitter"),
    "loss": ("丢包", "Loss"),
    "rtt": ("往返", "Round trip"),
    "missed": ("未接来电", "Missed call"),
    "ended": ("通话已结束", "The call has ended"),
    "leave": ("通话中离开此页会短暂中断声音。", "Leaving this page interrupts the sound for a moment."),
    "unheard": ("浏览器拦住了声音，点此打开。", "The browser holds the sound back: click here."),
    "error.insecure": (
        "不安全的连接不能使用麦克风：请用 HTTPS 打开本控制台，或在本机用 localhost 打开。",
        "No microphone on an insecure connection: open this console by HTTPS, or as localhost on this machine.",
    ),
    "error.denied": (
        "麦克风权限被拒绝：请点地址栏左侧的图标，允许使用麦克风，然后重新开启电话。",
        "The microphone was refused: allow it by the icon left of the address, then switch on again.",
    ),
    "error.no_microphone": (
        "找不到麦克风：请插好耳机，然后重新开启电话。",
        "No microphone found: plug the headset in, then switch on again.",
    ),
    "error.busy_microphone": (
        "麦克风打不开：请关闭正在使用它的其他程序，然后重新开启电话。",
        "The microphone cannot be opened: close the program that uses it, then switch on again.",
    ),
    "error.unplugged": (
        "麦克风断开了：请插好耳机，或在“设备”里选择另一个麦克风。",
        "The microphone went away: plug the headset in, or choose another one under Devices.",
    ),
    "error.no_path": (
        "声音通道没有接通：请让管理员放行 UDP，或配置 TURN（VOICEBOT_ICE_SERVERS）。正在重试…",
        "No way for the sound: ask an administrator to open UDP or set up TURN (VOICEBOT_ICE_SERVERS). Trying again…",
    ),
    "error.gateway": ("电话网关没有运行，正在重试…", "The softphone gateway is not running. Trying again…"),
    "error.taken": (
        "电话已在另一个页面打开，这里已关闭。",
        "The telephone was opened on another page and is off here.",
    ),
    "error.no_agent": (
        "此账号没有对应的坐席：请让管理员绑定坐席。",
        "This account has no agent: ask an administrator to give it one.",
    ),
    "error.gone": (
        "电话已离线：浏览器太久没有回应。请重新开启。",
        "The telephone is offline: the browser was silent too long. Switch on again.",
    ),
    "error.other": ("电话出错：{why}", "The telephone failed: {why}"),
}
"""Chinese and English, as everywhere in the console."""


def softphone_panel(visit: Visit) -> None:
    """Put the telephone on the page that is being built, once, inside its frame."""
    version = f"?v={__version__}"
    style = tag("link", rel="stylesheet", href=f"/assets/softphone.css{version}")
    script = tag("script", src=f"/assets/softphone.js{version}", type="module")
    ui.add_head_html(Markup("").join([style, script]))
    ui.html(voice_phone(visit.words), sanitize=False)


def voice_phone(words: Words) -> Markup:
    """The element alone, with everything it says."""
    index = LANGUAGES.index(words.language)
    texts = {key: pair[index] for key, pair in TEXTS.items()}
    return tag("voice-phone", data_texts=json.dumps(texts, ensure_ascii=False))
