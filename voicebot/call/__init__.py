"""One call from dial to outcome, as the line sees it."""
