//! Many tests at once.

/// q-values: the share of false discoveries if everything up to this one is called a discovery. Benjamini and Hochberg (1995),
/// as adjusted p-values (Yekutieli and Benjamini 1999).
pub(crate) fn q_values(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut q = vec![1.0; p.len()];
    let mut lowest = 1.0_f64;
    for (from_last, index) in order.into_iter().enumerate() {
        let rank = p.len() - from_last;
        lowest = lowest.min(p[index] * p.len() as f64 / rank as f64);
        q[index] = lowest;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_of_benjamini_and_hochberg() {
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        // In the paper, four are rejected at 5 %.
        assert_eq!(q_values(&p).iter().filter(|q| **q <= 0.05).count(), 4);
    }

    #[test]
    fn in_any_order_and_never_falling() {
        assert_eq!(q_values(&[0.04, 0.01, 0.03]), [0.04, 0.03, 0.04]);
        assert_eq!(q_values(&[]), [0.0; 0]);
    }
}
