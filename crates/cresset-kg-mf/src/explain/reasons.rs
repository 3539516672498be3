//! What an explanation asks of a model.

/// What one link of an item brings to the score that a user gets for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EntityContribution {
    /// Entity at the other end of the link.
    pub entity: u32,
    /// Relation of the link, by its index in the graph.
    pub relation: u32,
    /// The user's attention to the relation, among those that the item has.
    pub relation_attention: f32,
    /// The attention to this entity among the item's entities of that relation.
    pub neighbour_attention: f32,
    /// What the link adds to the score, in stars; over all links of an item these sum to the graph's part of
    /// its score.
    pub contribution: f32,
}

impl EntityContribution {
    /// The attention to the link among all links of the item.
    pub fn attention(&self) -> f32 {
        self.relation_attention * self.neighbour_attention
    }
}

/// A model that can be asked why: users and items by index, relations and entities as its graph numbers them.
pub trait Reasons {
    /// The score of an item for a user, in stars and not held to the scale.
    fn score(&self, user: u32, item: u32) -> f32;

    /// The user's attention to each relation, `[n_relations]`, which sums to 1.
    fn relation_attention(&self, user: u32) -> Vec<f32>;

    /// What each link of the item that the model uses brings to the score.
    fn contributions(&self, user: u32, item: u32) -> Vec<EntityContribution>;

    /// The score that the item would have without its links to an entity; attention is taken anew over what
    /// is left.
    fn score_without(&self, user: u32, item: u32, entity: u32) -> f32;
}
