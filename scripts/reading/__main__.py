"""How pictures that are not MNIST's are read.

    python -m scripts.reading           # some minutes
    python -m scripts.reading others    # other data sets of digits, and letters: a minute

They need folders of such pictures, which are not ours to publish.
"""

from scripts.options import studies
from scripts.reading import figures, others

main = studies(__doc__, default="figures", figures=figures.main, others=others.main)

if __name__ == "__main__":
    main()
