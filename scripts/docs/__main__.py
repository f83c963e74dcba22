"""The pictures in examples/ and in docs/images/.

    python -m scripts.docs examples        # digits on papers of different kinds
    python -m scripts.docs training        # how the model that ships learned
    python -m scripts.docs worked          # how the two smallest networks learn
    python -m scripts.docs screenshots     # the page to draw on
    python -m scripts.docs report          # the report of the model that ships

Each takes seconds.
"""

from scripts.docs import examples, report, screenshots, training, worked
from scripts.options import studies

main = studies(
    __doc__,
    examples=examples.main,
    training=training.main,
    worked=worked.main,
    screenshots=screenshots.main,
    report=report.main,
)

if __name__ == "__main__":
    main()
