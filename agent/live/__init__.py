"""A live page: a trained agent in real time, to be played with in a browser."""
