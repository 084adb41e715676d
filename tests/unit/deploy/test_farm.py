import base64
import json
from pathlib import Path

from deploy.client import Concordat
from deploy.demo.farm import Farm

LINE = {
    "received_at": "2026-11-22T10:00:00Z",
    "path": "/hooks/gmc",
    "webhook_id": "ntc_1",
    "signature_ok": True,
    "body": base64.b64encode(b'{"id": "ntc_1"}').decode(),
}


def test_a_line_that_is_being_written_is_no_receipt_yet(tmp_path: Path) -> None:
    whole = json.dumps(LINE).encode() + b"\n"
    farm = Farm(tmp_path, 0, Concordat({}, {}))
    for cut in range(len(whole)):
        (tmp_path / "8500.jsonl").write_bytes(whole + whole[:cut])
        assert [(r.org, r.webhook_id, r.event["id"]) for r in farm.receipts()] == [("gmc", "ntc_1", "ntc_1")]
