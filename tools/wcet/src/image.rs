// SPDX-License-Identifier: GPL-2.0

//! The object file: a relocatable ELF file, laid out at addresses of its own choice, as
//! the loader of modules would at others. Nothing in it depends on these addresses.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

use object::{
    Object, ObjectSection, ObjectSymbol, Relocation, RelocationTarget, SectionIndex, SectionKind,
    SymbolKind,
};

use crate::problem::{about, Result};

/// Where the first section is put, so that no address is a small number.
const FIRST: u64 = 0x10_0000;
/// Sections are at multiples of this, with at least as much between them.
const APART: u64 = 0x1_0000;

/// What a relocation makes an instruction or a table refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An address of this object, addend included.
    Here(u64),
    /// A symbol of the kernel or of another module.
    Elsewhere(String),
}

/// A section with its address; relocations are not applied to `bytes`.
pub struct Section {
    pub name: String,
    pub start: u64,
    pub bytes: Vec<u8>,
    code: bool,
}

/// A relocation: where it leads to with its addend.
#[derive(Clone, Debug)]
pub struct Link {
    pub to: Place,
    pub addend: i64,
}

/// The sections that are loaded, the functions in them, and all relocations by address.
pub struct Image {
    sections: Vec<Section>,
    links: BTreeMap<u64, Link>,
    functions: BTreeMap<u64, String>,
    exported: BTreeSet<String>,
    debug: HashMap<String, Vec<u8>>,
}

impl Image {
    pub fn read(path: &Path) -> Result<Self> {
        let data = fs::read(path).map_err(about(path.display()))?;
        let file = object::File::parse(&*data).map_err(about(path.display()))?;
        if file.architecture() != object::Architecture::X86_64 {
            return Err(format!("{}: not of x86-64", path.display()));
        }
        let starts = starts(&file);
        let mut image = Self {
            sections: Vec::new(),
            links: BTreeMap::new(),
            functions: functions(&file, &starts)?,
            exported: exported(&file),
            debug: HashMap::new(),
        };
        for section in file.sections() {
            image.add(&file, &section, &starts)?;
        }
        Ok(image)
    }

    fn add<'a>(
        &mut self,
        file: &object::File<'a>,
        section: &impl ObjectSection<'a>,
        starts: &HashMap<SectionIndex, u64>,
    ) -> Result<()> {
        let name = section
            .name()
            .map_err(about("a section's name"))?
            .to_owned();
        let mut bytes = section.data().map_err(about(&name))?.to_vec();
        if name.starts_with(".debug_") {
            for (offset, relocation) in section.relocations() {
                apply(
                    &mut bytes,
                    offset,
                    &link(file, &relocation, starts)?,
                    &relocation,
                );
            }
            self.debug.insert(name, bytes);
            return Ok(());
        }
        let Some(&start) = starts.get(&section.index()) else {
            return Ok(());
        };
        for (offset, relocation) in section.relocations() {
            self.links
                .insert(start + offset, link(file, &relocation, starts)?);
        }
        let code = section.kind() == SectionKind::Text;
        self.sections.push(Section {
            name,
            start,
            bytes,
            code,
        });
        Ok(())
    }

    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// A debug section with its relocations applied; empty if there is none.
    pub fn debug(&self, name: &str) -> &[u8] {
        self.debug.get(name).map_or(&[], Vec::as_slice)
    }

    /// The bytes of code from an address to the end of its section.
    pub fn code(&self, address: u64) -> Option<&[u8]> {
        let found = self.sections.iter().find(|section| {
            section.code
                && (section.start..section.start + section.bytes.len() as u64).contains(&address)
        })?;
        found.bytes.get((address - found.start) as usize..)
    }

    /// The relocations within a range of addresses.
    pub fn links(&self, from: u64, to: u64) -> impl Iterator<Item = (u64, &Link)> {
        self.links.range(from..to).map(|(at, link)| (*at, link))
    }

    pub fn is_exported(&self, symbol: &str) -> bool {
        self.exported.contains(symbol)
    }

    /// Whether an address is in one of these sections, or in one whose name goes on after
    /// a dot.
    pub fn is_in_tables(&self, address: u64, sections: &[&str]) -> bool {
        let is_table = |section: &&Section| {
            sections.iter().any(|name| {
                section
                    .name
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        self.sections.iter().filter(is_table).any(|section| {
            let end = section.start + section.bytes.len() as u64;
            self.links(section.start, end)
                .any(|(_, link)| match link.to {
                    Place::Here(start) => start.wrapping_add_signed(link.addend) == address,
                    Place::Elsewhere(_) => false,
                })
        })
    }

    pub fn link(&self, address: u64) -> Option<&Link> {
        self.links.get(&address)
    }

    /// All functions, by address; of several names of one, the first in the symbol table.
    pub fn functions(&self) -> &BTreeMap<u64, String> {
        &self.functions
    }

    pub fn function_at(&self, address: u64) -> Option<&str> {
        self.functions.get(&address).map(String::as_str)
    }

    /// The function whose code an address is in.
    pub fn function_around(&self, address: u64) -> Option<(u64, &str)> {
        let (start, name) = self.functions.range(..=address).next_back()?;
        Some((*start, name))
    }

    /// The function of this name, as in the symbol table or as its language writes it.
    pub fn function(&self, name: &str) -> Result<u64> {
        let mut found = self
            .functions
            .iter()
            .filter(|(_, symbol)| is_named(symbol, name));
        match (found.next(), found.next()) {
            (Some((address, _)), None) => Ok(*address),
            (None, _) => Err(format!("there is no function {name}")),
            (Some(_), Some(_)) => Err(format!("several functions are named {name}")),
        }
    }
}

/// Whether a symbol has this name, or is a path of Rust that ends with it. Generic
/// parameters do not count.
pub fn is_named(symbol: &str, name: &str) -> bool {
    if symbol == name {
        return true;
    }
    let path = readable(symbol);
    path == name || path.ends_with(&format!("::{name}"))
}

/// A symbol as its language writes it, without the generic parameters of Rust.
pub fn readable(symbol: &str) -> String {
    plain(&format!("{:#}", rustc_demangle::demangle(symbol)))
}

fn plain(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let Some(end) = matching(&rest[at..]) else {
            break;
        };
        let inner = plain(&rest[at + 1..at + end]);
        rest = &rest[at + end + 1..];
        if out.ends_with("::") || out.ends_with(|last: char| last.is_alphanumeric() || last == '_')
        {
            // Parameters: of a type, or of a function, after two colons.
            out.truncate(out.trim_end_matches("::").len());
        } else if inner.contains(" as ") {
            out.push_str(&format!("<{inner}>"));
        } else {
            out.push_str(&inner);
        }
    }
    out.push_str(rest);
    out
}

/// Where the angle bracket ends that a text begins with.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if !text[..at].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn starts(file: &object::File<'_>) -> HashMap<SectionIndex, u64> {
    let mut next = FIRST;
    let mut starts = HashMap::new();
    for section in file.sections() {
        let loaded = !matches!(section.kind(), SectionKind::Metadata | SectionKind::Debug)
            && !section.name().unwrap_or("").starts_with(".debug_");
        if loaded {
            starts.insert(section.index(), next);
            next = (next + section.size() + 2 * APART) & !(APART - 1);
        }
    }
    starts
}

fn functions(
    file: &object::File<'_>,
    starts: &HashMap<SectionIndex, u64>,
) -> Result<BTreeMap<u64, String>> {
    let mut functions = BTreeMap::new();
    for symbol in file.symbols() {
        let (SymbolKind::Text, Some(section)) = (symbol.kind(), symbol.section_index()) else {
            continue;
        };
        let name = symbol.name().map_err(about("a symbol's name"))?;
        // Padding before a function, and its cold part, which belongs to it.
        if name.starts_with("__pfx_") || name.ends_with(".cold") {
            continue;
        }
        let Some(start) = starts.get(&section) else {
            continue;
        };
        functions
            .entry(start + symbol.address())
            .or_insert_with(|| name.to_owned());
    }
    Ok(functions)
}

/// Each exported symbol has an entry of its own name in the table.
fn exported(file: &object::File<'_>) -> BTreeSet<String> {
    let names = file.symbols().filter_map(|symbol| {
        symbol
            .name()
            .ok()?
            .strip_prefix("__ksymtab_")
            .map(str::to_owned)
    });
    names.collect()
}

fn link(
    file: &object::File<'_>,
    relocation: &Relocation,
    starts: &HashMap<SectionIndex, u64>,
) -> Result<Link> {
    let addend = relocation.addend();
    let RelocationTarget::Symbol(index) = relocation.target() else {
        return Err("a relocation without a symbol".to_owned());
    };
    let symbol = file.symbol_by_index(index).map_err(about("a relocation"))?;
    let start = match symbol.section_index() {
        Some(section) => starts.get(&section).copied().unwrap_or(0),
        None => {
            let name = symbol.name().map_err(about("a symbol's name"))?;
            let to = Place::Elsewhere(name.to_owned());
            return Ok(Link { to, addend });
        }
    };
    let to = Place::Here(start.wrapping_add(symbol.address()));
    Ok(Link { to, addend })
}

/// Applies an absolute relocation, the only kind that debug sections have.
fn apply(bytes: &mut [u8], offset: u64, link: &Link, relocation: &Relocation) {
    let Place::Here(address) = link.to else {
        return;
    };
    let value = address.wrapping_add_signed(link.addend).to_le_bytes();
    let size = usize::from(relocation.size() / 8).min(value.len());
    let at = offset as usize;
    if let Some(field) = bytes.get_mut(at..at + size) {
        field.copy_from_slice(&value[..size]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generic_parameters_do_not_count() {
        assert_eq!(
            plain("<a::Tlsf<b::Vec<a::Node, c::D>>>::offer"),
            "a::Tlsf::offer"
        );
        assert_eq!(plain("a::f::<fn(u8) -> u8>"), "a::f");
        assert_eq!(plain("<a::B<u8> as c::D<u8>>::f"), "<a::B as c::D>::f");
        assert_eq!(plain("genp_alloc"), "genp_alloc");
    }

    #[test]
    fn a_path_may_be_cut_at_its_parts_only() {
        let symbol = "_RNvCs_4genp5alloc";
        assert!(is_named(symbol, "alloc") && !is_named(symbol, "lloc"));
    }
}
