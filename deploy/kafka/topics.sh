#!/bin/bash
# Creates the topics of the system in a Kafka that is reached at $1; running it again changes nothing.
# The local runner creates the same ones; a test holds the two lists equal.
set -euo pipefail
bootstrap=${1:?usage: topics.sh HOST:PORT}
while read -r name partitions; do
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$bootstrap" --create --if-not-exists \
    --topic "$name" --partitions "$partitions" --replication-factor 1 \
    --config cleanup.policy=delete --config retention.ms=604800000
done <<'TOPICS'
concordat.concerns.v1 12
concordat.notices.v1 12
concordat.decisions.v1 12
concordat.outcomes.v1 12
concordat.audit.v1 12
concordat.graph.v1 1
TOPICS
