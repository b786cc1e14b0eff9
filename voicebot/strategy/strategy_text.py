"""Strategy text: small changes of a strategy's YAML that leave its comments and its order as they are."""

from __future__ import annotations

import io

from ruamel.yaml import YAML

from voicebot.strategy.strategies import StrategyError, parse_strategy


def toggled(source: str, name: str, step: int, day: int) -> str:
    """The text with `day` added to the step (counted from 0), or taken from it. StrategyError.

    The last day of a step can't be taken: a step on no day is none.
    """
    steps = parse_strategy(source, name).steps
    if not 0 <= step < len(steps):
        raise StrategyError(f"{name}: there is no step {step + 1}")
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes, yaml.width = True, 120
    whole = yaml.load(source)
    days = whole["steps"][step]["days"]
    if day in days:
        days.remove(day)
    else:
        days.insert(sum(1 for other in days if other < day), day)
    text = io.StringIO()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(whole, text)
    parse_strategy(text.getvalue(), name)
    return text.getvalue()
