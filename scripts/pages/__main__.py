"""Pages as people photograph them, with the truth about each, and how well they are read.

    python -m scripts.pages make --kind few --count 24 --output /tmp/few    # to look at
    python -m scripts.pages measure --count 40                             # a table, minutes
    python -m scripts.pages examples                                       # two sheets for the docs
    python -m scripts.pages train                                          # models/signs.joblib

Pages are drawn from two halves of everything: one to choose by, one to judge by (sources.py).
"""

from scripts.options import studies
from scripts.pages import examples, make, measure, train

main = studies(
    __doc__, make=make.main, measure=measure.main, examples=examples.main, train=train.main
)

if __name__ == "__main__":
    main()
