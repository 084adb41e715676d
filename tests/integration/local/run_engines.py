"""A runner as a process of its own, for tests that kill it: starts both engines, says their pids, waits to die."""

import asyncio
import json
import sys
from pathlib import Path

from deploy.local.layout import Layout
from deploy.local.system import LocalSystem


async def main(data_dir: str, port_base: str) -> None:
    """Run until killed."""
    async with LocalSystem(Layout(Path(data_dir), int(port_base))) as system:
        await system.start_engines()
        sys.stdout.write(f"{json.dumps(system.pids)}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
