"""The thinker without a language model: it understands a table of sentences and answers them."""
