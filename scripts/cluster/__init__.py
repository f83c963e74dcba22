"""What data larger than memory, and other machines, cost and bring: results/cluster.json.

    python -m scripts.cluster streaming    # peak memory and speed on 8.1 million digits on disk
    python -m scripts.cluster workers      # two workers against one: a committee, and reading
    python -m scripts.cluster step         # a step whose gradients are computed in parts

The last two start a scheduler and workers on this machine, which should have two cores to spare.
"""
