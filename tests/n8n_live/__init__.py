"""Trial of the workflows on a real n8n; `deploy/n8n/try.sh` installs n8n and starts the trial."""
