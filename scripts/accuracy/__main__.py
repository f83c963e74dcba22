"""How accurate recipes are.

    python -m scripts.accuracy search      # a day
    python -m scripts.accuracy ablation    # an hour
    python -m scripts.accuracy ideas       # an hour
    python -m scripts.accuracy taught      # some minutes
    python -m scripts.accuracy recipes     # an hour
    python -m scripts.accuracy adapt       # ten minutes

Only the last three look at the test set; the others choose, and explain, on validation pictures.
"""

from scripts.accuracy import adapt, recipes, taught
from scripts.accuracy.ideas import ideas
from scripts.accuracy.validation import ablation, search
from scripts.options import studies

main = studies(
    __doc__,
    search=search,
    ablation=ablation,
    ideas=ideas,
    taught=taught.main,
    recipes=recipes.main,
    adapt=adapt.main,
)

if __name__ == "__main__":
    main()
