// SPDX-License-Identifier: GPL-2.0

//! Instructions, as far as counting them needs: how each goes on.

use std::collections::BTreeSet;

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess,
    OpKind, Register,
};

use crate::{
    image::{Image, Link, Place},
    patched::Alternatives,
    problem::Result,
};

/// How an instruction goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next one.
    Next,
    /// With a function, then with the next one.
    Call(Place),
    /// With a function whose address is in the named table or variable, then with the
    /// next one.
    CallThrough(String),
    /// With a function whose address was computed, then with the next one.
    CallUnknown,
    /// Somewhere else; that may be another function.
    Jump(Place),
    /// With a function whose address was computed, which returns for this one.
    JumpUnknown,
    /// With one of several instructions.
    Table(Vec<u64>),
    /// Somewhere else or with the next one.
    Branch(Place),
    /// With the caller.
    Return,
    /// Not at all: a trap.
    Stop,
}

/// One instruction.
#[derive(Clone, Debug)]
pub struct Operation {
    /// A string instruction with a prefix: each repetition counts as one.
    pub repeats: bool,
    pub count: Count,
    pub flow: Flow,
}

/// What an instruction does to the register with the number of repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Keeps,
    Sets(u64),
    Changes,
}

/// What is executed at an address: usually one instruction. Where the kernel replaces
/// instructions when it loads a module, each sequence that may stand there.
#[derive(Clone, Debug)]
pub struct Step {
    pub address: u64,
    pub length: u64,
    pub variants: Vec<Vec<Operation>>,
}

impl Step {
    pub fn next(&self) -> u64 {
        self.address + self.length
    }

    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.variants.iter().flatten()
    }
}

pub struct Decode<'a> {
    image: &'a Image,
    alternatives: Alternatives,
    /// Functions that do not return.
    endless: &'a [String],
}

impl<'a> Decode<'a> {
    pub fn new(image: &'a Image, endless: &'a [String]) -> Result<Self> {
        let alternatives = Alternatives::read(image)?;
        Ok(Self {
            image,
            alternatives,
            endless,
        })
    }

    pub fn step(&self, address: u64) -> Result<Step> {
        let Some(site) = self.alternatives.at(address) else {
            let (length, operation) = self.instruction(address)?;
            let variants = vec![vec![operation]];
            return Ok(Step {
                address,
                length,
                variants,
            });
        };
        let mut variants = vec![self.sequence(address, site.length)?];
        for (at, length) in &site.replacements {
            variants.push(self.sequence(*at, *length)?);
        }
        let length = site.length;
        Ok(Step {
            address,
            length,
            variants,
        })
    }

    fn sequence(&self, from: u64, length: u64) -> Result<Vec<Operation>> {
        let mut at = from;
        let mut operations = Vec::new();
        while at < from + length {
            let (length, operation) = self.instruction(at)?;
            operations.push(operation);
            at += length;
        }
        Ok(operations)
    }

    fn instruction(&self, address: u64) -> Result<(u64, Operation)> {
        let bytes = self.image.code(address);
        let bytes = bytes.ok_or_else(|| format!("{address:#x} is not in code"))?;
        let instruction = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).decode();
        if instruction.is_invalid() {
            return Err(format!("the instruction at {address:#x} is unknown"));
        }
        let repeats = instruction.is_string_instruction()
            && (instruction.has_rep_prefix() || instruction.has_repne_prefix());
        let flow = self.flow(&instruction)?;
        let count = count(&instruction);
        Ok((
            instruction.len() as u64,
            Operation {
                repeats,
                count,
                flow,
            },
        ))
    }

    fn flow(&self, instruction: &Instruction) -> Result<Flow> {
        Ok(match instruction.flow_control() {
            FlowControl::Next => Flow::Next,
            FlowControl::Return => Flow::Return,
            FlowControl::Exception | FlowControl::Interrupt => Flow::Stop,
            FlowControl::ConditionalBranch => Flow::Branch(self.target(instruction)),
            FlowControl::UnconditionalBranch => match self.target(instruction) {
                to if is_thunk(&to) => Flow::JumpUnknown,
                to => Flow::Jump(to),
            },
            FlowControl::Call if instruction.mnemonic() == Mnemonic::Call => {
                match self.target(instruction) {
                    to if is_thunk(&to) => Flow::CallUnknown,
                    Place::Elsewhere(name) if self.endless.contains(&name) => Flow::Stop,
                    to => Flow::Call(to),
                }
            }
            FlowControl::IndirectCall => match self.link_in(instruction) {
                Some((
                    _,
                    Link {
                        to: Place::Elsewhere(name),
                        ..
                    },
                )) => Flow::CallThrough(name.clone()),
                _ => Flow::CallUnknown,
            },
            FlowControl::IndirectBranch => self
                .table(instruction)
                .map_or(Flow::JumpUnknown, Flow::Table),
            _ => {
                return Err(format!(
                    "no rule for the instruction at {:#x}",
                    instruction.ip()
                ))
            }
        })
    }

    /// The functions whose address is taken between two addresses of code: what they are given
    /// to may call them.
    pub fn taken(&self, from: u64, to: u64) -> BTreeSet<u64> {
        let Some(bytes) = self.image.code(from) else {
            return BTreeSet::new();
        };
        let length = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        let bytes = &bytes[..length.min(bytes.len())];
        let decoder = Decoder::with_ip(64, bytes, from, DecoderOptions::NONE);
        let operands = decoder.into_iter().filter(|instruction| {
            !instruction.is_invalid() && instruction.flow_control() == FlowControl::Next
        });
        let places = operands.flat_map(|instruction| {
            let links = self.image.links(instruction.ip(), instruction.next_ip());
            let linked = links.filter_map(move |(at, link)| address(&instruction, at, link));
            // Within a section the assembler needs no relocation.
            let near = instruction.is_ip_rel_memory_operand();
            linked.chain(near.then(|| instruction.ip_rel_memory_address()))
        });
        places
            .filter(|place| self.image.function_at(*place).is_some())
            .collect()
    }

    fn link_in(&self, instruction: &Instruction) -> Option<(u64, &Link)> {
        self.image
            .links(instruction.ip(), instruction.next_ip())
            .next()
    }

    fn target(&self, instruction: &Instruction) -> Place {
        match self.link_in(instruction) {
            Some((
                _,
                Link {
                    to: Place::Elsewhere(name),
                    ..
                },
            )) => Place::Elsewhere(name.clone()),
            // Relative to the end of the instruction, the relocation to its own address.
            Some((
                at,
                Link {
                    to: Place::Here(start),
                    addend,
                },
            )) => Place::Here(
                start
                    .wrapping_add_signed(*addend)
                    .wrapping_add(instruction.next_ip() - at),
            ),
            None => Place::Here(instruction.near_branch_target()),
        }
    }

    /// The targets of a jump through a table of addresses: as many entries as follow one
    /// another, which may be more than are used.
    fn table(&self, instruction: &Instruction) -> Option<Vec<u64>> {
        let indexed = instruction.op0_kind() == OpKind::Memory
            && instruction.memory_base() == Register::None
            && instruction.memory_index() != Register::None
            && instruction.memory_index_scale() == 8;
        let (
            _,
            Link {
                to: Place::Here(start),
                addend,
            },
        ) = self.link_in(instruction)?
        else {
            return None;
        };
        let mut at = start.wrapping_add_signed(*addend);
        let own = self.image.function_around(instruction.ip())?.0;
        let mut targets = Vec::new();
        while let Some(Link {
            to: Place::Here(start),
            addend,
        }) = self.image.link(at)
        {
            let target = start.wrapping_add_signed(*addend);
            if self.image.function_around(target)?.0 != own {
                break;
            }
            targets.push(target);
            at += 8;
        }
        (indexed && !targets.is_empty()).then_some(targets)
    }
}

/// What a relocation in an operand refers to.
fn address(instruction: &Instruction, at: u64, link: &Link) -> Option<u64> {
    let Place::Here(start) = link.to else {
        return None;
    };
    let place = start.wrapping_add_signed(link.addend);
    Some(match instruction.is_ip_rel_memory_operand() {
        true => place.wrapping_add(instruction.next_ip().wrapping_sub(at)),
        false => place,
    })
}

/// The kernel's thunks for calls and jumps to an address in a register.
fn is_thunk(to: &Place) -> bool {
    matches!(to, Place::Elsewhere(name) if name.starts_with("__x86_indirect_thunk_"))
}

fn count(instruction: &Instruction) -> Count {
    let is_constant = matches!(
        instruction.op1_kind(),
        OpKind::Immediate32 | OpKind::Immediate32to64
    );
    if instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_register().full_register() == Register::RCX
    {
        return match is_constant {
            true if instruction.op1_kind() == OpKind::Immediate32 => {
                Count::Sets(instruction.immediate32().into())
            }
            true => Count::Sets(instruction.immediate32to64() as u64),
            false => Count::Changes,
        };
    }
    let is_call = !matches!(instruction.flow_control(), FlowControl::Next);
    let mut factory = InstructionInfoFactory::new();
    let mut registers = factory.info(instruction).used_registers().iter();
    let writes = registers.any(|register| {
        register.register().full_register() == Register::RCX
            && !matches!(register.access(), OpAccess::Read | OpAccess::CondRead)
    });
    match writes || is_call {
        true => Count::Changes,
        false => Count::Keeps,
    }
}
