#!/usr/bin/env bash
# What a pod with Envoy does before it stops: fails its health, so that nobody new comes, waits until the load balancers have
# noticed, and then until the ledger counts none of its connections any more, or until DRAIN_SECONDS are over. Envoy's image has
# bash and no HTTP client.
set -uo pipefail

# The body of an answer with status 200: METHOD HOST:PORT PATH VERSION [TOKEN]. Envoy refuses HTTP/1.0, and in HTTP/1.1 a body may come in
# chunks, which is no matter where it is not read.
request() {
  local status line
  exec 3<>"/dev/tcp/${2%:*}/${2##*:}" || return
  printf '%s %s HTTP/%s\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n' "$1" "$3" "$4" "$2" >&3
  printf '%s\r\n' ${5:+"Authorization: Bearer $5"} "" >&3
  read -r _ status _ <&3
  [[ $status == 200 ]] || return
  while IFS= read -r line <&3 && [[ $line != $'\r' ]]; do :; done
  cat <&3
}
export -f request

ask() {
  timeout 3 bash -c 'request "$@"' ask "$@" 2>/dev/null
}

# How many connections of this Envoy the ledger counts, over its pools; fails while the ledger does not say.
held() {
  local pool answer sum=0
  for pool in $POOLS; do
    answer=$(ask GET "$LEDGER" "/v1/pools/$pool/readiness" 1.0 "${LEDGER_TOKEN:-}") || return
    if [[ $answer =~ \"node\":\"$POD_NAME\"[^}]*\"connections\":([0-9]+) ]]; then
      sum=$((sum + BASH_REMATCH[1]))
    fi
  done
  echo "$sum"
}

ask POST "$ENVOY_ADMIN" /healthcheck/fail 1.1 >/dev/null || echo "Envoy does not answer: nobody is told that it stops" >&2
sleep "$SETTLE_SECONDS"
connections=""
until ((SECONDS >= DRAIN_SECONDS)); do
  connections=$(held) || connections=""
  if [[ $connections == 0 ]]; then
    exit
  fi
  sleep 1
done
echo "${connections:-an unknown number of} connections are still open after $DRAIN_SECONDS s" >&2
