"""A simulated debtor understands by ear what the shipped scripts ask."""

from __future__ import annotations

from voicebot.config import scripts_dir
from voicebot.demo.topics import asked
from voicebot.dialog.loader import load_script
from voicebot.dialog.script import Kind, Node
from voicebot.domain.understanding import Topic

CERTAIN = (Topic.OPEN, Topic.VERIFY, Topic.PROMISE)


def questions() -> list[tuple[Node, str]]:
    scripts = [load_script(path) for path in sorted(scripts_dir().glob("*.yaml"))]
    nodes = {(node.where.file, node.id): node for script in scripts for node in script.nodes.values()}
    asks = [node for node in nodes.values() if node.kind is Kind.ASK and node.topic is not Topic.ANY]
    return [(node, "".join(prompt.text for prompt in node.say)) for node in asks]


def test_who_is_there_and_what_is_promised_is_never_mistaken() -> None:
    mistaken = [text for node, text in questions() if node.topic in CERTAIN and asked(text) is not node.topic]
    assert [text for text in mistaken if "转告" not in text and "替" not in text] == []


def test_nearly_every_question_is_understood() -> None:
    right = [asked(text) is node.topic for node, text in questions()]
    assert sum(right) / len(right) >= 0.85
