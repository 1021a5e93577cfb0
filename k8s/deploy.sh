#!/usr/bin/env bash
# Brings the ledger into the cluster of kubectl's context, shows it, and takes it away again.
#
#   k8s/deploy.sh apply   [local|eks]   makes the cluster what k8s/overlays/local (or eks) says and waits until all of it is ready
#   k8s/deploy.sh status  [local|eks]   workloads, pods and pools; exit code 1 while a workload is not ready
#   k8s/deploy.sh logs    [local|eks]   follows ledger and Envoy until Ctrl-C
#   k8s/deploy.sh destroy [local|eks]   deletes all of it, its namespace and volumes included, but no CRD
#
#   --context NAME   another context than kubectl's current one
#   --timeout S      seconds that apply and destroy wait, 600 when not given
#   --yes            destroy does not ask; without a terminal it never does
#
# Without local or eks it is local. apply can be repeated: it says what it changed, and a second one changes nothing. What others
# have set in the meantime, an autoscaler for example, is left alone, and a conflict with it ends apply. What a newer overlay no
# longer has stays until destroy or kubectl delete. DEPLOY_OVERLAY names the folder of a kustomization to take instead.
# Exit code: 0 done, 1 failed or not ready, 2 wrong usage, or no kubectl or no cluster to talk to.
set -euo pipefail
export LC_ALL=C

readonly MANAGER=connection-ledger-deploy
readonly POLL_SECONDS=2

fail() {
  echo "deploy: $2" >&2
  exit "$1"
}

usage() {
  sed -n '2,/^set /p' "$0" | sed -n 's/^# \{0,1\}//p'
}

kube() {
  kubectl ${context:+--context "$context"} "$@"
}

# Puts each object of the overlay into a file of its own, in a folder for each stage of apply, and
# lists them: apiVersion, kind, file.
render() {
  mkdir "$work"/{crds,namespaces,objects,workloads}
  kubectl kustomize "$overlay" >"$work/all.yaml" || fail 1 "$overlay cannot be rendered"
  awk -v work="$work" '
    function put(  folder, file) {
      if (kind != "") {
        folder = kind == "CustomResourceDefinition" ? "crds" : kind == "Namespace" ? "namespaces" : "objects"
        file = sprintf("%s/%s/%04d.yaml", work, folder, ++count)
        printf "%s", text >file
        close(file)
        print api, kind, file
      }
      text = kind = api = ""
    }
    /^---$/ { put(); next }
    /^apiVersion: / { api = $2 }
    /^kind: / { kind = $2 }
    { text = text $0 "\n" }
    END { put() }' "$work/all.yaml" >"$work/list"
  awk '$2 == "Deployment" || $2 == "StatefulSet" { print $3 }' "$work/list" | xargs -r cp -t "$work/workloads"
}

is_empty() {
  [[ -z $(find "$1" -name '*.yaml' -print -quit) ]]
}

# The objects of the overlay whose kind the cluster does not know, as in the list.
unknown() {
  kube api-resources --no-headers 2>"$work/errors" | awk '{ print $(NF - 2), $NF }' >"$work/known" || true
  [[ -s $work/known ]] || fail 1 "the cluster does not say what kinds it knows: $(tail -n 1 "$work/errors")"
  awk 'FILENAME == ARGV[1] { known[$0]; next } !(($1 " " $2) in known)' "$work/known" "$work/list"
}

# What is there of a folder, a line each: kind, namespace/name, identity and when we last changed
# it. Controllers change status and resource version all the time; this only changes with us.
written() {
  kube get -f "$1" --ignore-not-found --no-headers -o custom-columns="KIND:.kind,NS:.metadata.namespace,\
NAME:.metadata.name,UID:.metadata.uid,TIME:.metadata.managedFields[?(@.manager==\"$MANAGER\")].time" |
    awk '{ print $1, ($2 == "<none>" ? "" : $2 "/") $3, $4, $5 }' | sort
}

# Applies a folder and says what that changed.
put() {
  local folder=$work/$1 changes
  if is_empty "$folder"; then
    return
  fi
  written "$folder" >"$work/before"
  kube apply --server-side --field-manager="$MANAGER" -f "$folder" >"$work/applied" ||
    fail 1 "the cluster refused what kubectl names above; the rest of the $1 is applied"
  written "$folder" >"$work/after"
  changes=$(comm -13 "$work/before" "$work/after" | awk 'FILENAME == ARGV[1] { was[$3]; next }
    { print "  " ($3 in was ? "changed" : "created"), $1, $2 }' "$work/before" -)
  objects=$((objects + $(wc -l <"$work/after")))
  if [[ -n $changes ]]; then
    echo "$changes"
    changed=$((changed + $(wc -l <<<"$changes")))
  fi
}

# Each workload with ready/desired; "waits" where it is not what it should be.
workloads() {
  if is_empty "$work/workloads"; then
    return
  fi
  kube get -f "$work/workloads" --ignore-not-found --no-headers -o custom-columns="KIND:.kind,NS:.metadata.namespace,\
NAME:.metadata.name,DESIRED:.spec.replicas,READY:.status.readyReplicas,UPDATED:.status.updatedReplicas,\
ALL:.status.replicas,GENERATION:.metadata.generation,SEEN:.status.observedGeneration" | awk '{
      for (i = 4; i <= NF; i++) if ($i == "<none>") $i = 0
      done = $5 == $4 && $6 == $4 && $7 == $4 && $9 >= $8
      print $1, $2 "/" $3, $5 "/" $4, done ? "ready" : "waits"
    }'
}

# Shows, whenever it changes, what the command $2 says, until nothing in it matches $3.
await() {
  local what=$1 state=$2 open=$3 began=$SECONDS shown="" now
  while true; do
    # An API server that is away for a moment is asked again.
    if now=$("$state" 2>"$work/errors"); then
      comm -13 <(sort <<<"$shown") <(sort <<<"$now") | sed "/^\$/d; s/^/  $((SECONDS - began)) s  /"
      shown=$now
      if ! grep -q "$open" <<<"$now"; then
        return
      fi
    fi
    if ((SECONDS - began >= timeout)); then
      now=$(grep "$open" <<<"$shown" | cut -d ' ' -f 1-3 | paste -sd, | sed 's/,/, /g')
      fail 1 "not $what within $timeout s: ${now:-$(tail -n 1 "$work/errors")}"
    fi
    sleep "$POLL_SECONDS"
  done
}

apply() {
  local missing
  objects=0 changed=0
  echo "Applying $overlay to context $current"
  put crds
  if ! is_empty "$work/crds"; then
    kube wait --for=condition=Established --timeout="${timeout}s" -f "$work/crds" >"$work/applied"
  fi
  missing=$(unknown | awk '{ print $2 " (" $1 ")" }' | sort -u | paste -sd, | sed 's/,/, /g')
  [[ -z $missing ]] ||
    fail 1 "the cluster does not know $missing: install what brings that, or render the overlay without it"
  put namespaces
  put objects
  if ((changed == 0)); then
    echo "Nothing changed: all $objects objects are what the overlay says"
  else
    echo "$changed of $objects objects changed"
  fi
  echo "Waiting for the workloads"
  await "ready" workloads ' waits$'
  echo "All is ready"
}

status() {
  local namespace state
  echo "Overlay $overlay, context $current"
  state=$(workloads)
  [[ -n $state ]] || fail 1 "nothing of it runs here"
  awk '{ printf "  %-12s %-40s %7s  %s\n", $1, $2, $3, $4 }' <<<"$state"
  while read -r namespace; do
    echo
    echo "Pods in $namespace"
    kube -n "$namespace" get pods -o wide
  done < <(cut -d ' ' -f 2 <<<"$state" | cut -d / -f 1 | sort -u)
  echo
  echo "Pools"
  kube get connectionpools.connectionledger.io --all-namespaces 2>"$work/errors" ||
    echo "None as resources: $(tail -n 1 "$work/errors")"
  if grep -q ' waits$' <<<"$state"; then
    exit 1
  fi
}

logs() {
  local namespace
  namespace=$(workloads | cut -d ' ' -f 2 | cut -d / -f 1 | sort -u | head -n 1)
  [[ -n $namespace ]] || fail 1 "nothing of $overlay runs in context $current"
  kube -n "$namespace" logs --follow --prefix --all-containers --tail=20 --max-log-requests=50 \
    --selector 'app.kubernetes.io/name=connection-ledger,app.kubernetes.io/component in (ledger, envoy)'
}

# What is still there of the overlay, a line each.
remains() {
  local folder
  for folder in namespaces objects; do
    if ! is_empty "$work/$folder"; then
      written "$work/$folder" | awk '{ print $1, $2, "remains" }' || return
    fi
  done
}

destroy() {
  local answer there namespaces
  # Of a kind that the cluster does not know nothing can be there.
  unknown | awk '{ print $3 }' | xargs -r rm
  there=$(remains)
  if [[ -z $there ]]; then
    echo "Nothing of $overlay is in context $current"
    return
  fi
  namespaces=$(awk '$1 == "Namespace" { print $2 }' <<<"$there" | paste -sd, | sed 's/,/, /g')
  if [[ $yes == false && -t 0 ]]; then
    read -r -p "Delete $(wc -l <<<"$there") objects${namespaces:+, the namespace $namespaces with everything in it, volumes \
included,} from context $current? [y/N] " answer
    [[ $answer == [yY]* ]] || fail 1 "nothing is deleted"
  fi
  echo "Deleting $overlay from context $current"
  if ! is_empty "$work/objects"; then
    kube delete --ignore-not-found --wait=false -f "$work/objects" >"$work/deleted"
  fi
  if ! is_empty "$work/namespaces"; then
    kube delete --ignore-not-found --wait=false -f "$work/namespaces" >"$work/deleted"
  fi
  await "gone" remains ' remains$'
  echo "All is gone but the CRDs"
}

command="" name="" context="" timeout=600 yes=false
while (($# > 0)); do
  case $1 in
  -h | --help) usage && exit ;;
  --yes) yes=true ;;
  --context | --timeout)
    (($# > 1)) || fail 2 "$1 needs a value"
    case $1 in
    --context) context=$2 ;;
    --timeout) timeout=$2 ;;
    esac
    shift
    ;;
  *)
    if [[ -z $command ]]; then
      command=$1
    elif [[ -z $name ]]; then
      name=$1
    else
      fail 2 "'$1' is one argument too many: $0 --help shows what is allowed"
    fi
    ;;
  esac
  shift
done
case $command in
apply | status | logs | destroy) ;;
"") fail 2 "no command: allowed are apply, status, logs and destroy" ;;
*) fail 2 "'$command' is no command: allowed are apply, status, logs and destroy" ;;
esac
name=${name:-local}
[[ $name == local || $name == eks ]] || fail 2 "'$name' is no overlay: allowed are local and eks"
[[ $timeout =~ ^[1-9][0-9]{0,5}$ ]] || fail 2 "--timeout is '$timeout': allowed are whole seconds from 1"

command -v kubectl >/dev/null || fail 2 "kubectl is not on the PATH: install it (1.25 or later)"
overlay=${DEPLOY_OVERLAY:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/overlays/$name}
[[ -f $overlay/kustomization.yaml ]] || fail 2 "$overlay has no kustomization.yaml"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
current=${context:-$(kubectl config current-context 2>/dev/null)} ||
  fail 2 "kubectl has no current context: choose one with kubectl config use-context, or with --context"
kube get --raw /version --request-timeout=10s >"$work/version" 2>"$work/errors" ||
  fail 2 "the cluster of context $current cannot be used: $(tail -n 1 "$work/errors")"

render
"$command"
