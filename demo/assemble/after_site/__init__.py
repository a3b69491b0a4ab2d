"""Steps on the built site. They run after the site generator, whichever that is."""
