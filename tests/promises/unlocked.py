"""A process in which an advocate is signed in: `python -m tests.promises.unlocked DATABASE PIN PASSPHRASE-FILE`. It
says so, keeps her keys as a session does, and ends when its input does."""

import asyncio
import sys
from pathlib import Path

from ivr.kit.clock import SystemClock
from ivr.services.custody import sessions
from ivr.store.database import Database
from ivr.vault.organisation import read_pin


async def main(url: str, pin: str, passphrase: str) -> None:
    database = Database(url)
    session = await sessions.unlock(database, pin=read_pin(pin), passphrase=passphrase, now=SystemClock().now())
    print("unlocked", flush=True)
    sys.stdin.read()
    print(len(session.epoch_keys))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_text().strip()))
