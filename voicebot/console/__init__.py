"""Console: the web pages for operators, agents, reviewers and designers, and the REST API beside them."""
