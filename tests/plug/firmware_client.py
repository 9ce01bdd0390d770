"""A client of a plug's API in a process of its own, because aioesphomeapi brings its own protobuf: JSON lines in and out.

Started by firmware.Plug. In: {"id": 1, "do": "switch", "name": "Relay", "value": true}. Out: {"reply": 1} or {"reply": 1, "error": "..."},
and for each state the plug reports {"name": "Relay", "value": true, "at": time.monotonic()}.
"""

import asyncio
import json
import sys
import time
from typing import Any

from aioesphomeapi import APIClient, APIConnectionError


def say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


async def talk(port: int, key: str) -> None:
    lost = asyncio.Event()

    async def stopped(expected: bool) -> None:
        lost.set()

    until = time.monotonic() + 50
    while True:
        client = APIClient("127.0.0.1", port, None, noise_psk=key or None, client_info="test")
        lost.clear()
        try:
            await client.connect(on_stop=stopped, login=False)
            break
        except APIConnectionError:  # the plug's clock is quick: a client that a busy machine holds up for a second has lost its patience
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)
    entities, actions = await client.list_entities_services()
    names = {entity.key: entity.name for entity in entities}
    keys = {entity.name: entity.key for entity in entities}
    say(entities=sorted(keys))
    client.subscribe_states(lambda state: say(name=names[state.key], value=getattr(state, "state", None), at=time.monotonic()))

    async def do(words: dict[str, Any]) -> None:
        match words["do"]:
            case "switch":
                client.switch_command(keys[words["name"]], words["value"])
            case "number":
                client.number_command(keys[words["name"]], words["value"])
            case "action":
                action = next(action for action in actions if action.name == words["name"])
                done = client.execute_service(action, words["value"])
                if done is not None:  # a coroutine in newer versions
                    await done
            case "key":
                if not await client.noise_encryption_set_key(words["value"].encode()):
                    raise RuntimeError("the plug refuses the key")
            case "ping":
                await client.device_info()

    async def listen() -> None:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            words = json.loads(line)
            try:
                await do(words)
                say(reply=words["id"])
            except Exception as error:  # it is the test that decides what it means
                say(reply=words["id"], error=f"{type(error).__name__}: {error}")

    waiting = [asyncio.ensure_future(listen()), asyncio.ensure_future(lost.wait())]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


asyncio.run(talk(int(sys.argv[1]), sys.argv[2]))
