"""A telephone in the agent's browser: WebRTC on one side, a SIP extension like any other on the other side."""
