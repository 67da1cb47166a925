#!/usr/bin/env bash
# Protects the GitOps repository's default branch by ruleset.json. Needs gh (logged in as an administrator of the
# repository) and the ID of the GitHub App that promotes: https://github.com/organizations/ORG/settings/apps
#
#   ./protect-main.sh nexo-org/nexo-gitops 123456
#
# Without an App's ID (0) nobody may push promotions past the pull request, and the statuses may come from anybody
# with write access: see docs/security.md.
set -euo pipefail
repository=${1:?owner/name of the GitOps repository}
app=${2:?ID of the GitHub App, or 0}
[[ $app =~ ^[0-9]+$ ]] || { echo "error: '$app' is no ID of a GitHub App; give a number, or 0" >&2; exit 2; }

rules=$(cat "$(dirname "${BASH_SOURCE[0]}")/ruleset.json")
if [ "$app" = 0 ]; then
    rules=$(printf '%s' "$rules" | sed -e 's/, "integration_id": 0//' -e '/"actor_id": 0/d')
else
    rules=$(printf '%s' "$rules" | sed -e "s/\\(\"integration_id\": \\)0/\\1$app/" -e "s/\\(\"actor_id\": \\)0/\\1$app/")
fi
existing=$(gh api "repos/$repository/rulesets" --jq '.[] | select(.name == "promotions") | .id')
if [ -n "$existing" ]; then
    printf '%s' "$rules" | gh api --method PUT "repos/$repository/rulesets/$existing" --input - --jq '"updated: " + .name'
else
    printf '%s' "$rules" | gh api --method POST "repos/$repository/rulesets" --input - --jq '"created: " + .name'
fi
