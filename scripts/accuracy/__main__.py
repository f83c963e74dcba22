"""How accurate recipes are.

    python -m scripts.accuracy search      # hours
    python -m scripts.accuracy ablation    # an hour
    python -m scripts.accuracy recipes     # an hour

Only the last looks at the test set; the others choose, and explain, on validation pictures.
"""

from scripts.accuracy import ablation, recipes, search
from scripts.options import studies

main = studies(__doc__, search=search.main, ablation=ablation.main, recipes=recipes.main)

if __name__ == "__main__":
    main()
