"""``promotion.yaml``: the model of what it says, the strategy's defaults, and the reader that checks it."""
