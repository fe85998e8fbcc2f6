//! The guide says what its program says, and the program runs.

#[path = "../../examples/guide/main.rs"]
mod program;

#[test]
fn every_piece_of_the_guide_is_a_piece_of_its_program() {
    let guide = include_str!("../../../../docs/guide.md");
    let program = include_str!("../../examples/guide/main.rs");
    let pieces: Vec<_> = guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(pieces.len() > 8, "the guide has {} pieces", pieces.len());
    for piece in pieces {
        assert!(program.contains(piece), "this is not in the program:\n{piece}");
    }
}

#[test]
fn the_program_of_the_guide_runs() {
    program::main().unwrap();
}
