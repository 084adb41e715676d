"""What Kafka's own tools are given."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.local.kafka import CLUSTER_ID_BYTES, cluster_id


@given(st.binary(min_size=CLUSTER_ID_BYTES, max_size=CLUSTER_ID_BYTES))
def test_no_cluster_id_looks_like_an_option(random: bytes) -> None:
    assert cluster_id(random)[0].isalpha()
    assert len(cluster_id(random)) == 22
