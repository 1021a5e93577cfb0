#!/usr/bin/env bash
# A sample scaling controller: takes away the pods that a pool can spare, the one with the least connections first, and only
# while the ledger says that its figures can be acted on. Run it again and again, from cron for example; each run does one step.
#
#   k8s/scale.sh --url http://ledger.connection-ledger:8090 --pool chat            # says what it would do
#   k8s/scale.sh --url … --pool chat --apply [--min 2] [--delete 'kubectl delete pod %s']
#
# Where the ledger asks for tokens, LEDGER_TOKEN has one of the role operate (read, without --apply).
#
# One step: where more pods take connections than are desired, the first pod of scaleDown that does not drain yet is drained;
# and a draining pod that holds nothing any more is deleted, with --delete (%s is its name). Where more are desired than take
# connections, draining pods are taken back, and what is missing then is said: starting pods is Kubernetes' business.
# Exit code: 0 a step or none was due, 1 something failed, 2 wrong usage, 3 the ledger is not ready.
set -euo pipefail

usage() {
  sed -n '2,/^set /p' "$0" | sed -n 's/^# \{0,1\}//p' >&2
  exit 2
}

fail() {
  echo "scale: $*" >&2
  exit 1
}

url="" pool="" min=1 apply=false delete=""
while (($# > 0)); do
  case $1 in
  --apply) apply=true && shift && continue ;;
  --url | --pool | --min | --delete) (($# > 1)) || usage ;;
  *) usage ;;
  esac
  case $1 in
  --url) url=${2%/} ;;
  --pool) pool=$2 ;;
  --min) min=$2 ;;
  --delete) delete=$2 ;;
  esac
  shift 2
done
[[ -n $url && $pool =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ && $min =~ ^[0-9]+$ ]] || usage
[[ -z $delete || $delete == *%s* ]] || usage

# Asks the ledger: METHOD PATH. What it refuses ends this.
ask() {
  local answer
  # Not among the arguments, which every process of the machine may read; -g, because IPv6 addresses have brackets.
  answer=$(curl -gsS --max-time 10 -X "$1" -w '\n%{http_code}' -H @<(printf '%s' "${LEDGER_TOKEN:+Authorization: Bearer $LEDGER_TOKEN}") "$url$2") ||
    fail "$url does not answer"
  [[ ${answer##*$'\n'} == 200 ]] || fail "$1 $2: ${answer%$'\n'*}"
  echo "${answer%$'\n'*}"
}

act() {
  if [[ $apply == true ]]; then
    echo "$1"
    shift
    "$@" >/dev/null
  else
    echo "$1 (not done: without --apply)"
  fi
}

scaling=$(ask GET "/v1/pools/$pool/scaling?limit=10000")
if [[ $(jq -r .ready <<<"$scaling") != true ]]; then
  echo "scale: pool $pool is not ready, nothing is done: $(jq -r '(.reasons // []) | join("; ")' <<<"$scaling")" >&2
  exit 3
fi
connections=$(ask GET "/v1/pools/$pool/connections?limit=10000")

# What the two answers say together: in the order of scaleDown, a pod a line: name, address, state, held.
pods=$(jq -r --argjson connections "$connections" '
  ([$connections.pods[] | {(.address): {state, held: (.active + .reserved)}}] | add) as $now
  | .scaleDown | sort_by(.priority)[] | [.pod, .address, $now[.address].state // "gone", $now[.address].held // 0] | @tsv' \
  <<<"$scaling")
desired=$(jq -r .desiredPods <<<"$scaling")
((desired >= min)) || desired=$min
taking=$(awk -F'\t' '$3 != "draining" && $3 != "gone"' <<<"$pods" | grep -c . || true)
echo "pool $pool: $taking pods take connections, $desired are desired"

while IFS=$'\t' read -r pod address state held; do
  if [[ $state == draining ]] && ((held == 0 && taking >= desired)) && [[ -n $delete ]]; then
    [[ $pod =~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$ ]] || fail "pod '$pod' has no name that Kubernetes could know"
    read -r -a command <<<"${delete//%s/$pod}"
    act "delete pod $pod: it drained and holds nothing" "${command[@]}"
  fi
done <<<"$pods"

if ((taking > desired)); then
  IFS=$'\t' read -r pod address state held < <(awk -F'\t' '$3 != "draining" && $3 != "gone"' <<<"$pods")
  act "drain pod $pod ($address), which holds $held" ask PUT "/v1/pools/$pool/pods/$address/drain"
elif ((taking < desired)); then
  while IFS=$'\t' read -r pod address state held; do
    if [[ $state == draining ]] && ((taking < desired)); then
      act "take pod $pod ($address) back" ask DELETE "/v1/pools/$pool/pods/$address/drain"
      taking=$((taking + 1))
    fi
  done < <(tac <<<"$pods")
  ((taking >= desired)) || echo "$((desired - taking)) more pods are needed: start them"
fi
