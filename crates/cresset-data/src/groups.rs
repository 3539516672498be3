//! Row numbers grouped by a code.

/// The rows of each code, ascending, one group after another.
#[derive(Debug)]
pub(crate) struct Groups {
    offsets: Vec<usize>,
    rows: Vec<u32>,
}

impl Groups {
    /// Groups `rows` by `codes[row]`, which is below `n_groups`, in time linear in both.
    pub(crate) fn by(codes: &[u32], n_groups: usize, rows: impl Iterator<Item = u32> + Clone) -> Self {
        let mut offsets = vec![0; n_groups + 1];
        let (mut last, mut is_grouped) = (0, true);
        for row in rows.clone() {
            let code = codes[row as usize];
            offsets[code as usize + 1] += 1;
            is_grouped &= last <= code;
            last = code;
        }
        for group in 0..n_groups {
            offsets[group + 1] += offsets[group];
        }
        if is_grouped {
            // As files that are sorted by user: the rows need not be moved.
            return Self { rows: rows.collect(), offsets };
        }
        let mut next = offsets.clone();
        let mut grouped = vec![0; offsets[n_groups]];
        for row in rows {
            let slot = &mut next[codes[row as usize] as usize];
            grouped[*slot] = row;
            *slot += 1;
        }
        Self { offsets, rows: grouped }
    }

    /// The rows of one group.
    pub(crate) fn of(&self, group: u32) -> &[u32] {
        let group = group as usize;
        &self.rows[self.offsets[group]..self.offsets[group + 1]]
    }

    /// The groups in order of their code.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.offsets.windows(2).map(|bounds| &self.rows[bounds[0]..bounds[1]])
    }

    /// The number of rows in all groups.
    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Where each group begins among the rows, last the end; and the rows.
    pub(crate) fn into_parts(self) -> (Vec<usize>, Vec<u32>) {
        (self.offsets, self.rows)
    }

    /// The groups in order of their code; each may be reordered in place.
    pub(crate) fn each_mut(&mut self) -> impl Iterator<Item = &mut [u32]> {
        let mut rest = self.rows.as_mut_slice();
        self.offsets.windows(2).map(move |bounds| {
            let (group, tail) = std::mem::take(&mut rest).split_at_mut(bounds[1] - bounds[0]);
            rest = tail;
            group
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_group_stay_in_order_and_empty_groups_are_kept() {
        let mut groups = Groups::by(&[2, 0, 2, 2], 4, [0, 1, 3].into_iter());
        let found: Vec<Vec<u32>> = groups.each_mut().map(|group| group.to_vec()).collect();
        assert_eq!(found, [vec![1], vec![], vec![0, 3], vec![]]);
    }

    #[test]
    fn rows_that_are_in_groups_already_are_grouped_in_the_same_way() {
        let groups = Groups::by(&[0, 0, 2, 2], 3, [0, 1, 3].into_iter());
        assert_eq!(groups.iter().collect::<Vec<_>>(), [&[0, 1][..], &[], &[3]]);
        let none = Groups::by(&[], 2, std::iter::empty());
        assert_eq!((none.n_rows(), none.iter().count()), (0, 2));
    }
}
