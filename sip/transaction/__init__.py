"""Transactions (RFC 3261 section 17, RFC 6026): tables and the machine that runs them."""

from sip.transaction.machine import (
    RFC_TIMING,
    Deliver,
    Effect,
    Failed,
    Send,
    StartTimer,
    Terminated,
    Timing,
    Transaction,
    ack_failure,
    cancel,
    client_transaction,
    server_transaction,
)
from sip.transaction.table import Event, State, Timer

__all__ = [
    "RFC_TIMING", "Deliver", "Effect", "Event", "Failed", "Send", "StartTimer", "State", "Terminated",
    "Timer", "Timing", "Transaction", "ack_failure", "cancel", "client_transaction", "server_transaction",
]  # fmt: skip
