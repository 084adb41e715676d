"""`python -m tests.soak`: the fault tests twenty times in a row, then what else takes minutes; ends at a failure."""

import subprocess
import sys
import time

TIMES = 20
FAULTS = ("tests/e2e/test_faults.py", "tests/integration/shared/test_consumer.py")


def main() -> int:
    """Run them; gives the exit code of the first run that failed."""
    for number in range(1, TIMES + 1):
        begun = time.monotonic()
        code = _pytest(*FAULTS, "-m", "stack and not soak", "-x")
        print(f"round {number} of {TIMES}: exit {code}, {time.monotonic() - begun:.0f} s", flush=True)
        if code:
            return code
    return _pytest("-m", "soak", "-rP")  # with what they printed: their figures


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
