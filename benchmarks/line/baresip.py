"""The process under test, baresip-python: answers and says what it hears. Records nothing.

`pip install --pre baresip-python`: a dependency of this comparison alone.
"""

import argparse
import asyncio
import json

from baresip import Account, BaresipError, Call, Config, Runtime, UserAgent

FRAME = 320


async def echo(calls: list[Call]) -> None:
    """One tick of 20 ms over all calls."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for call in list(calls):
            try:
                while heard := call.audio.read(FRAME):
                    call.audio.write(heard)
            except BaresipError:
                calls.remove(call)
        due += 0.02
        await asyncio.sleep(max(due - loop.time(), 0))


async def serve(port: int) -> None:
    directives = f"sip_listen 127.0.0.1:{port}\nrtp_ports 34002-38998\naudio_jitter_buffer_type off\n"
    config = Config(net_interface="127.0.0.1", max_concurrent_calls=None, extra_config_text=directives)
    runtime, calls, answering = Runtime(), list[Call](), set[asyncio.Task[None]]()

    async def take(call: Call) -> None:
        await call.answer()
        await call.wait_established(timeout=10)
        calls.append(call)

    def incoming(call: Call) -> None:
        task = asyncio.get_running_loop().create_task(take(call))
        answering.add(task)
        task.add_done_callback(answering.discard)

    await runtime.start(config)
    account = Account("bot", "127.0.0.1", "", reg_interval=0, extra_params=("catchall=yes", "video_codecs=none"))
    agent = await UserAgent.create(runtime, account)
    agent.on_incoming(incoming)
    print(json.dumps({"port": port}), flush=True)
    await echo(calls)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--far-port", type=int)
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
