"""Handing a call to a person: who is free, how they are rung and briefed, when both sides are joined."""
