"""The PrNd index and the quality of the market as documents, and their routes."""
