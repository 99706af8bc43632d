//! Takes memory, and more of it, and writes to all of it.

/// Ends with a trap.
pub fn attack() -> String {
    const PIECE: usize = 1024 * 1024;
    for pieces in 0_u64.. {
        let mut piece = vec![1_u8; PIECE];
        piece[PIECE - 1] = 2;
        if std::hint::black_box(&piece).len() != PIECE {
            return format!("{pieces} pieces");
        }
        std::mem::forget(piece);
    }
    "all of it".to_owned()
}
