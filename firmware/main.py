"""Boot entry: a board starts here."""

from meterhub import app

app.main()
