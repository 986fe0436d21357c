#!/usr/bin/env bash
# Runs everything that needs AWS's APIs against emulators: moto for ELBv2, ministack for the rest, and a second ministack that enforces
# IAM for the end-to-end tests. They come from PyPI into .venv under the project, with the AWS CLI and the IAM linter that other tests
# call, and Kubernetes' schemas; Prometheus comes from Debian where it is not there. They listen on loopback only, and are stopped at the
# end by process id. Needs python3 (3.10 or newer) and Node. Arguments go to vitest. No AWS account is touched: credentials here are dummies.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

moto_version=5.2.5
ministack_version=1.5.33
packages=("moto[server]==$moto_version" "ministack==$ministack_version" "awscli==1.46.3" "parliament==1.6.4" "setuptools==65.5.0")
# Changing a version above makes this mark differ, so the environment is built anew.
mark="${packages[*]}"
venv=.venv
# Kubernetes' own schemas, in a folder of their own: a new version of them leaves the emulators where they are.
schemas_version=1.37.0
schemas="$venv/kubernetes-validate-$schemas_version"
ready_seconds=60
log() { printf 'test:aws: %s\n' "$*"; }
fail() { printf 'test:aws: %s\n' "$*" >&2; exit 1; }

command -v python3 >/dev/null || fail "python3 not found; expected 3.10 or newer. On Debian: apt-get install python3 python3-venv"

install_emulators() {
  log "installing $mark into $venv (once)"
  rm -rf "$venv"
  local pip_log
  pip_log="$(mktemp)"
  if python3 -m venv "$venv" >"$pip_log" 2>&1; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      "${packages[@]}" >"$pip_log" 2>&1 \
      || { tail -n 20 "$pip_log" >&2; fail "pip could not install $mark into $venv; its last lines are above"; }
  elif python3 -m pip --version >/dev/null 2>&1; then
    log "python3 -m venv does not work here (on Debian: apt-get install python3-venv); using pip --target instead"
    rm -rf "$venv"
    python3 -m pip install --quiet --disable-pip-version-check --target "$venv/site" \
      "${packages[@]}" >"$pip_log" 2>&1 \
      || { tail -n 20 "$pip_log" >&2; fail "pip could not install $mark into $venv/site; its last lines are above"; }
  else
    tail -n 20 "$pip_log" >&2
    fail "python3 has neither venv nor pip. On Debian: apt-get install python3-venv, then run this again"
  fi
  rm -f "$pip_log"
  printf '%s\n' "$mark" >"$venv/installed"
}

install_schemas() {
  log "installing kubernetes-validate==$schemas_version into $schemas (once)"
  local pip_python=python3
  [ -x "$venv/bin/python" ] && pip_python="$venv/bin/python"
  rm -rf "$schemas.part"
  "$pip_python" -m pip install --quiet --disable-pip-version-check --target "$schemas.part" "kubernetes-validate==$schemas_version" \
    || fail "pip could not install kubernetes-validate==$schemas_version into $schemas"
  mv "$schemas.part" "$schemas"
}

# Prometheus and promtool as Debian has them, without installing anything: no root, and no service that starts by itself.
install_prometheus() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null \
    || fail "prometheus and promtool not found; expected them on PATH (2.42 or newer), or a Debian to take them from"
  log "unpacking Debian's prometheus into $venv/prometheus (once)"
  rm -rf "$venv/prometheus" && mkdir -p "$venv/prometheus"
  (cd "$venv/prometheus" && apt-get download --quiet prometheus >/dev/null && dpkg-deb --extract prometheus_*.deb . && rm -f prometheus_*.deb) \
    || fail "apt-get download prometheus failed; run apt-get update, or put prometheus and promtool on PATH"
}

# Two runs at once must not build it into each other. Without flock (macOS) the first run has to be alone.
exec 9<test/aws/run.sh
command -v flock >/dev/null && flock 9
[ "$(cat "$venv/installed" 2>/dev/null || true)" = "$mark" ] || install_emulators
[ -d "$schemas" ] || install_schemas
if ! { command -v prometheus && command -v promtool; } >/dev/null; then
  [ -x "$venv/prometheus/usr/bin/promtool" ] || install_prometheus
  export PATH="$PWD/$venv/prometheus/usr/bin:$PATH"
fi
exec 9<&-

project="$PWD"
if [ -x "$venv/bin/python" ]; then
  python="$project/$venv/bin/python" python_path=""
else
  python="$(command -v python3)" python_path="$project/$venv/site"
fi

# Outside the project: ministack writes CommonJS workers into TMPDIR, which a package.json of type module above it would break.
work="$(mktemp -d /tmp/tidegate-aws.XXXXXX)"
pids=()
stop() {
  local code=$? pid tries
  trap - EXIT INT TERM
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do
    # Five seconds to go by itself, then it must.
    for ((tries = 0; tries < 50; tries++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
  exit "$code"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_ports() {
  "$python" - <<'PYTHON'
import socket
sockets = [socket.socket() for _ in range(3)]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
for each in sockets:
    each.close()
PYTHON
}

# A clean environment: neither the emulators nor what they start may see this shell's credentials, proxies or endpoints.
start() {
  local name="$1"
  shift
  env -i PATH="$PATH" HOME="$work" TMPDIR="$work" LANG=C.UTF-8 PYTHONPATH="$python_path" PYTHONDONTWRITEBYTECODE=1 \
    AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing "$@" >"$work/$name.log" 2>&1 &
  pids+=("$!")
}

# Ready means: our own process lives and the port answers HTTP. A process that died (port taken meanwhile) is reported.
wait_ready() {
  local name="$1" pid="$2" url="$3"
  local deadline=$((SECONDS + ready_seconds))
  until "$python" -c 'import sys, urllib.request; urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=2)' "$url" 2>/dev/null; do
    if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 20 "$work/$name.log" >&2
      fail "$name did not answer on $url within $ready_seconds s; its last lines are above"
    fi
    sleep 0.1
  done
}

read -r moto_port ministack_port auth_port <<<"$(free_ports)"
start moto "$python" -m moto.server -H 127.0.0.1 -p "$moto_port"
start ministack BIND_HOST=127.0.0.1 GATEWAY_PORT="$ministack_port" MINISTACK_ACCOUNT_ID=123456789012 "$python" -m ministack
# Lambda's pauses between tries of an asynchronous run are a minute and two on AWS; the order of things is the same in less.
start ministack-auth BIND_HOST=127.0.0.1 GATEWAY_PORT="$auth_port" MINISTACK_ACCOUNT_ID=123456789012 AUTH=true \
  LAMBDA_ASYNC_RETRY_BASE_SECONDS=0.2 "$python" -m ministack
wait_ready moto "${pids[0]}" "http://127.0.0.1:$moto_port/moto-api/data.json"
wait_ready ministack "${pids[1]}" "http://127.0.0.1:$ministack_port/_ministack/health"
wait_ready ministack-auth "${pids[2]}" "http://127.0.0.1:$auth_port/_ministack/health"
log "moto $moto_version on 127.0.0.1:$moto_port (ELBv2), ministack $ministack_version on 127.0.0.1:$ministack_port (the rest), and with IAM on 127.0.0.1:$auth_port"

# The SDK's own variables name the endpoints; the adapters know nothing of emulators.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_DEFAULT_REGION AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_REGION=eu-west-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
# Known, and one line each test file would say.
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
export AWS_ENDPOINT_URL="http://127.0.0.1:$ministack_port"
export AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2="http://127.0.0.1:$moto_port"
export TIDEGATE_AUTH_ENDPOINT="http://127.0.0.1:$auth_port"

# For tests that call tools: the interpreter that has them, and `aws` on PATH.
export TIDEGATE_PYTHON="$python"
export TIDEGATE_KUBERNETES_SCHEMAS="$project/$schemas"
export PATH="$project/$venv/bin:$project/$venv/site/bin:$PATH"
[ -z "$python_path" ] || export PYTHONPATH="$python_path"

set +e
npx vitest run --config vitest.aws.config.ts "$@"
code=$?
if ! command -v pulumi >/dev/null || ! command -v pulumi-language-nodejs >/dev/null; then
  log "the real engine's tests ($(ls test/engine/*.test.ts | wc -l) files in test/engine) were skipped: pulumi is not on PATH"
fi
exit "$code"
