"""Letter: messages as pages to be printed, in a folder of their own; the same message is the same file."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Final

from markupsafe import Markup

from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.messages.channel import GatewayAway, Letter, Undeliverable

_PAGE: Final = Markup("""<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<title>{key}</title>
<style>
@page {{ size: A4; margin: 25mm 25mm 20mm }}
body {{ font: 12pt/1.9 "Noto Serif CJK SC", "Source Han Serif SC", SimSun, serif; color: #000 }}
header {{ border-bottom: 1px solid #000; padding-bottom: 4mm; margin-bottom: 12mm }}
.to {{ margin-bottom: 14mm; white-space: pre-line }}
.text {{ text-indent: 2em; white-space: pre-line }}
footer {{ margin-top: 20mm; text-align: right }}
small {{ display: block; margin-top: 12mm; text-align: left; color: #555; font-size: 9pt }}
</style>
<header><b>{institution}</b>　客服电话 {hotline}</header>
<p class="to">{name}　收
{to}</p>
<p class="text">{text}</p>
<footer>{institution}<br>{date}</footer>
<small>编号 {key}</small>
</html>
""")


class LetterChannel:
    """Writes `<folder>/YYYY-MM/<key>.html`; the id of a letter is that path and the SHA-256 of the page.

    A letter that lies there already is not written again: what was printed is what stays.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock

    def wording(self, letter: Letter) -> str:
        return letter.text

    async def send(self, letter: Letter) -> str | None:
        if not letter.to.strip():
            raise Undeliverable("a letter needs a postal address")
        try:
            return await asyncio.to_thread(self._write, letter)
        except OSError as error:
            raise GatewayAway(f"the letter can't be written: {error}") from error

    async def close(self) -> None: ...

    def _write(self, letter: Letter) -> str:
        known = next(self._folder.glob(f"*/{letter.key}.html"), None)
        today = self._clock.now().astimezone(SHANGHAI)
        path = known or self._folder / f"{today:%Y-%m}" / f"{letter.key}.html"
        if known is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".tmp")
            values = {name: letter.values.get(name, "") for name in ("institution", "hotline", "name")}
            day = f"{today.year}年{today.month}月{today.day}日"
            page = _PAGE.format(key=letter.key, to=letter.to, text=letter.text, date=day, **values)
            with draft.open("w", encoding="utf-8") as file:
                file.write(page)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{path.relative_to(self._folder)} sha256:{digest}"
