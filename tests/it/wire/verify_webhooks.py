"""Verifies webhooks with the standard's library for Python.

In: a file of JSON, {secrets, messages: [{headers, body}]}. Out: {"verified", "refused"}, how many
pairs of a message and a secret were taken as they came, and refused with another body.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

with open(sys.argv[1], encoding="utf-8") as file:
    received = json.load(file)
verified = refused = 0
for message in received["messages"]:
    for secret in received["secrets"]:
        webhook = Webhook(secret)
        webhook.verify(message["body"], message["headers"])
        verified += 1
        try:
            webhook.verify(message["body"] + " ", message["headers"])
        except WebhookVerificationError:
            refused += 1
print(json.dumps({"verified": verified, "refused": refused}))
