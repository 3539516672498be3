//! What the recommender models of Cresset share on Burn: row-sparse embedding tables, row optimisers, MLP, and the seams.
