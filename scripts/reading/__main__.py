"""How pictures that are not MNIST's are read.

    python -m scripts.reading    # some minutes

It needs a folder of such pictures, which is not ours to publish.
"""

from scripts.options import studies
from scripts.reading import figures

main = studies(__doc__, default="figures", figures=figures.main)

if __name__ == "__main__":
    main()
