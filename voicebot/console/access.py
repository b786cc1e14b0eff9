"""Access: which permission every route asks for, as one table that a test holds against the routes themselves."""

from __future__ import annotations

import re
from enum import StrEnum


class Open(StrEnum):
    """Routes that ask for no permission."""

    EVERYBODY = "everybody"  # strangers too
    THIS_MACHINE = "this machine"  # programs on the same machine, and whoever is logged in
    LOGGED_IN = "logged in"
    PERSON = "person"  # a person who is logged in, no program with a token
    ENROLLING = "enrolling"  # also a person who must still set up a second factor


Rule = Open | str
"""Either one of `Open` or a permission of the store's table."""

TABLE: tuple[tuple[str, str, Rule], ...] = (
    ("GET POST", r"/login", Open.EVERYBODY),
    ("GET POST", r"/setup", Open.EVERYBODY),  # wants its own one-time token
    ("GET POST", r"/login/code", Open.EVERYBODY),  # wants a right password before
    ("GET", r"/login/sso(/back)?", Open.EVERYBODY),  # wants the identity provider's signature
    ("GET POST", r"/second-factor", Open.ENROLLING),
    ("GET", r"/account", Open.PERSON),
    ("GET", r"/api/account", Open.LOGGED_IN),
    ("POST", r"/api/account/(password|factor/remove|sessions/end|sessions/[^/]+/end)", Open.PERSON),
    ("POST", r"/api/account/tokens(/[^/]+/revoke)?", Open.PERSON),
    ("GET", r"/(api/)?access", "access"),
    ("POST", r"/api/access/roles/[^/]+/second-factor", "users"),
    ("GET", r"/healthz", Open.EVERYBODY),
    ("GET", r"/metrics", Open.THIS_MACHINE),
    ("POST", r"/logout", Open.ENROLLING),
    ("GET", r"/assets/.+", Open.LOGGED_IN),
    ("GET", r"/favicon\.ico", Open.LOGGED_IN),
    ("GET POST", r"/_nicegui(_ws)?/.*", Open.LOGGED_IN),
    ("GET", r"/api/openapi\.json", Open.LOGGED_IN),
    ("GET", r"/", "calls"),
    ("GET", r"/calls(/[^/]+)?", "calls"),
    ("GET", r"/cases(/.+)?", "cases"),
    ("GET", r"/campaigns", "campaigns"),
    ("GET", r"/desk(/cases/[^/]+)?", "desk"),
    ("GET", r"/wall", "wall"),
    ("GET", r"/promises", "cases"),
    ("GET", r"/api/promises", "cases"),
    ("GET", r"/tickets(/[^/]+)?", "tickets"),  # agents their own
    ("GET", r"/api/tickets(/[^/]+)?", "tickets"),
    ("POST", r"/api/tickets/[^/]+/(notes|owner|close)", "tickets"),
    ("GET", r"/messages", "cases"),
    ("GET", r"/api/messages", "cases"),
    ("POST", r"/api/messages/receipts", Open.EVERYBODY),  # wants the gateway's signature
    ("GET POST", r"/api/messages/wechat", Open.EVERYBODY),  # wants WeChat's signature
    ("GET", r"/api/webhooks(/deliveries)?", "users"),
    ("POST", r"/api/webhooks(/[^/]+/(remove|test|replay))?", "users"),
    ("GET", r"/lines", "wall"),
    ("GET", r"/rules", "reports"),
    ("GET", r"/api/rules(/ledger(/head|/export\.[a-z]+)?|/caller-ids)?", "reports"),
    ("POST", r"/api/rules/judge", "cases"),
    ("POST", r"/api/rules/caller-ids(/[^/]+/remove)?", "users"),
    ("GET", r"/api/consents/[^/]+", "cases"),
    ("POST", r"/api/consents(/import|/[^/]+/revoke)?", "cases"),
    ("GET", r"/api/lines", "wall"),
    ("POST", r"/api/workers/[^/]+/(drain|resume)", "campaigns"),
    ("GET", r"/(api/)?dialling", "campaigns"),
    ("POST", r"/api/dialling/(halt|go-on|campaigns/[^/]+/(pause|resume))", "campaigns"),
    ("GET", r"/reports", "reports"),
    ("GET", r"/review(/[^/]+)?", "review"),
    ("GET", r"/search", "search_calls"),
    ("GET", r"/api/quality/search", "search_calls"),
    ("GET", r"/api/quality/agreement", "review"),
    ("POST", r"/api/quality/(draw|second|calibrate)", "quality"),
    ("POST", r"/api/quality/reviews/[^/]+", "review"),
    ("GET", r"/my-reviews", "appeal"),
    ("GET", r"/api/quality/mine", "appeal"),  # and only what is one's own
    ("GET", r"/calibration", "quality"),
    ("POST", r"/api/quality/reviews/[^/]+/appeal", "appeal"),
    ("POST", r"/api/quality/appeals/[^/]+", "quality"),
    ("POST", r"/api/quality/calls/[^/]+/(verdict|comment)", "review"),
    ("GET", r"/api/reports(/figures|/plans|/export\.\w+)?", "reports"),
    ("POST", r"/api/reports/plans(/[^/]+/drop)?", "quality"),
    ("GET", r"/people", "users"),
    ("GET", r"/scripts(/[^/]+)?", "scripts"),
    ("GET", r"/scripts/(help|trials)/[^/]+", "scripts"),
    ("GET", r"/api/scripts(/say|/[^/]+/[^/]+)?", "scripts"),
    ("GET POST", r"/api/scripts/[^/]+/[^/]+/trial", "scripts"),
    ("POST", r"/api/scripts/[^/]+/check", "scripts"),
    ("POST", r"/api/scripts(/[^/]+/(draft|[^/]+/discard))?", "write_scripts"),
    ("POST", r"/api/scripts/[^/]+/(split|[^/]+/(review|publish|roll-back))", "publish_scripts"),
    ("GET POST", r"/password", Open.EVERYBODY),  # wants its own one-time token
    ("GET", r"/api/desk(/(figures|knowledge|cases|callbacks))?", "desk"),  # and only what is one's own
    ("GET", r"/api/desk/cases/[^/]+/permission", "desk"),
    ("POST", r"/api/desk/(presence|plan)", "desk"),
    ("POST", r"/api/desk/calls/[^/]+/[^/]+", "desk"),
    ("POST", r"/api/desk/cases/(pull|[^/]+/(pull|give-back|ring))", "desk"),
    ("POST", r"/api/desk/callbacks/[^/]+/(take|done)", "desk"),
    ("GET", r"/api/floor", "wall"),
    ("POST", r"/api/floor/calls/[^/]+/(supervise|fetch-person)", "supervise"),
    ("POST", r"/api/floor/agents/[^/]+/presence", "supervise"),
    ("POST", r"/api/floor/alerts/[^/]+/acknowledge", "supervise"),
    ("GET POST", r"/api/people/users", "users"),
    ("POST", r"/api/people/(agents|users/[^/]+/[^/]+)", "users"),
    ("GET", r"/api/people/users/[^/]+/sessions", "users"),
    ("GET", r"/api/calls(/[^/]+)?", "calls"),
    ("GET", r"/api/calls/[^/]+/(audio|peaks|consultation)", "listen"),
    ("GET", r"/api/calls/[^/]+/(bundle|vcon)", "evidence"),
    ("POST", r"/api/calls/[^/]+/redact", "evidence"),
    ("GET", r"/api/cases/[^/]+/evidence", "evidence"),
    ("GET", r"/evidence", "operations"),
    ("GET", r"/api/evidence(/operations|/uploads)?", "operations"),
    ("POST", r"/api/evidence/check", "operations"),
    ("GET", r"/api/holds", "operations"),
    ("POST", r"/api/(cases/[^/]+/holds|holds/[^/]+/lift)", "holds"),
    ("POST", r"/api/calls/[^/]+/verify", "evidence"),
    ("POST", r"/api/calls/[^/]+/hangup", "campaigns"),
    ("GET", r"/api/cases(/.+)?", "cases"),
    ("POST", r"/api/cases/import(s(/[^/]+/(plan|run|mend))?)?", "cases"),
    ("POST", r"/api/cases/.+/(status|notes)", "cases"),
    ("POST", r"/api/payments(/import)?", "cases"),
    ("GET", r"/api/softphone(/events)?", "desk"),  # and only the telephone of one's own agent
    ("POST", r"/api/softphone/(connect|answer|hangup|keys|beat|leave|off)", "desk"),
    ("GET POST", r"/api/campaigns", "campaigns"),
    ("POST", r"/api/campaigns/what-if", "campaigns"),
    ("GET", r"/api/campaigns/[^/]+/what-if", "campaigns"),
    ("POST", r"/api/campaigns/[^/]+/(start|stop)", "campaigns"),
    ("GET", r"/segments(/[^/]+)?", "campaigns"),
    ("GET", r"/strategies(/[^/]+)?", "campaigns"),
    ("GET", r"/api/segments(/[^/]+/portrait)?", "campaigns"),
    ("POST", r"/api/segments/[^/]+/share-out", "campaigns"),
    ("GET", r"/api/backtest", "campaigns"),
    ("GET", r"/api/policies/[^/]+(/[^/]+(/versions)?)?", "campaigns"),
    ("POST", r"/api/policies/[^/]+/[^/]+(/check)?", "campaigns"),
)
"""Methods, the whole path as a regular expression, and what it takes. What is not listed is for nobody."""

EXPORTS = re.compile(
    r"/api/cases/(export|[^/]+/evidence)|/api/calls/[^/]+/(bundle|vcon|redact)"
    r"|/api/rules/ledger/export\.\w+|/api/reports/export\.\w+"
)
"""Addresses that give away much at once; asked for less often than others."""

_ROWS = tuple((frozenset(methods.split()), re.compile(path), rule) for methods, path, rule in TABLE)


def rule_for(method: str, path: str) -> Rule | None:
    """What a request needs; None when there is no such route. HEAD counts as GET, WEBSOCKET as GET."""
    method = "GET" if method in ("HEAD", "WEBSOCKET") else method
    return next((rule for methods, known, rule in _ROWS if method in methods and known.fullmatch(path)), None)
