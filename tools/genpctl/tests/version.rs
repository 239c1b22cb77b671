// SPDX-License-Identifier: GPL-2.0

//! The version, which stands in `tools/Cargo.toml`, has its section in the changelog.

#[test]
fn the_changelog_has_a_section_on_this_version() {
    let changelog = include_str!("../../../CHANGELOG.md");
    let heading = format!("\n## [{}] - ", env!("CARGO_PKG_VERSION"));
    assert!(changelog.contains(&heading), "no {heading:?}");
}
