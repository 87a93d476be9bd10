"""The notifications service: who must hear of what happened, and whether it has reached them."""
