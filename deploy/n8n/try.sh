#!/usr/bin/env bash
# Lets a real n8n import the workflows and work with a real back office, gateway and stand-in for
# Meta, all on this machine; exits 0 only if everything went as it should. Needs uv and npm; the
# first run installs n8n (and Node 24, if the machine's is older) into a cache of 3 GB.
set -euo pipefail
cd "$(dirname "$0")/../.."

N8N=2.41.1  # the one these workflows were tried with
NODE=24     # what it asks for at least
cache=${RAFFLEBOT_N8N_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rafflebot-n8n}/$N8N

say() { printf '… %s\n' "$*"; }

command -v npm >/dev/null || { say "npm is needed to install n8n"; exit 2; }
command -v uv >/dev/null || { say "uv is needed to start the back office"; exit 2; }

install() {
  local half
  half=$(mktemp -d "$(dirname "$cache")/.installing-XXXXXX")
  trap 'rm -rf "$half"' EXIT
  local found
  found=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
  if [ "$found" -lt "$NODE" ]; then
    say "installing Node $NODE"
    npm install --prefix "$half/node" --no-audit --no-fund --loglevel=error "node@$NODE"
    PATH="$half/node/node_modules/node/bin:$PATH"
  fi
  say "installing n8n $N8N, which takes some minutes"
  # of the scripts of its 2,300 packages only those of the two that are needed here are run
  npm install --prefix "$half/n8n" --no-audit --no-fund --loglevel=error --ignore-scripts "n8n@$N8N"
  npm rebuild --prefix "$half/n8n" --loglevel=error sqlite3 isolated-vm
  rm -rf "$cache"
  mv "$half" "$cache"
  trap - EXIT
}

if ! [ -f "$cache/n8n/node_modules/n8n/bin/n8n" ]; then
  mkdir -p "$(dirname "$cache")"
  install
fi

node=$cache/node/node_modules/node/bin/node
[ -x "$node" ] || node=$(command -v node)
exec uv run python -m tests.n8n_live --node "$node" --n8n "$cache/n8n/node_modules/n8n/bin/n8n"
