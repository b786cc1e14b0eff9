"""The process under test, pyVoIP: a registered phone that answers and says what it hears. Records nothing."""

import argparse
import json
import threading
import warnings

from pyVoIP.VoIP import CallState, InvalidStateError, VoIPCall, VoIPPhone

warnings.simplefilter("ignore", DeprecationWarning)


def echo(call: VoIPCall) -> None:
    try:
        call.answer()
    except InvalidStateError:
        return
    while call.state == CallState.ANSWERED:
        call.write_audio(call.read_audio(160, blocking=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--far-port", type=int, required=True)
    options = parser.parse_args()
    phone = VoIPPhone("127.0.0.1", options.far_port, "bot", "", myIP="127.0.0.1", sipPort=options.port,
                      rtpPortLow=30_000, rtpPortHigh=34_000, callCallback=echo)
    # It registers before it returns, and the far end is only started once a port is printed.
    print(json.dumps({"port": options.port, "registers": True}), flush=True)
    phone.start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
