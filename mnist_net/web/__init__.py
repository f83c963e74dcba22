"""The service: one page to draw on, and the same reading over HTTP; an extra, ``[web]``."""
