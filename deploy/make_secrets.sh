#!/bin/sh
# Writes .env: a random secret for each password of docker-compose.yml. Refuses if .env exists: PostgreSQL keeps its first password.
set -euC
cd "$(dirname "$0")/.."
umask 077
for name in POSTGRES_PASSWORD REDIS_PASSWORD GRAFANA_PASSWORD REX_LINK_SECRET; do
    echo "$name=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
done >.env
