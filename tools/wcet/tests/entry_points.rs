// SPDX-License-Identifier: GPL-2.0

//! What the kernel or a program can call has a line in the table or a reason to have none: it is
//! found in the machine code and in the header of the ABI, and cannot be forgotten.

#[allow(dead_code)] // Not all of it is used here.
mod module;

use module::Module;

const FORGOTTEN: &str = "it has a bound, but no line of the table";

fn without(entries: &str, ioctls: &str) -> String {
    format!("[[without]]\nentries = [{entries}]\nioctls = [{ioctls}]\nbecause = \"\"\n")
}

#[test]
fn each_exported_function_needs_a_line_or_a_reason() {
    let module = || {
        Module::new("exported")
            .function("f", "ret")
            .function("g", "ret")
            .exported("g")
    };
    module().refused(&format!("not ok g: {FORGOTTEN}"));
    let without = without("\"g\"", "");
    module().more(&without).bound(1);
    Module::new("stale")
        .function("f", "ret")
        .more(&without)
        .refused("is no entry point");
}

#[test]
fn each_function_that_is_called_back_needs_a_line_or_a_reason() {
    let module = || {
        Module::new("called-back")
            .function("f", "lea g(%rip), %rdi\nmov $h, %esi\nret")
            .function("g", "ret")
            .function("h", "ret")
    };
    module().refused(&format!("not ok g: {FORGOTTEN}"));
    module().refused(&format!("not ok h: {FORGOTTEN}"));
    let target = "[[indirect]]\nfunction = \"f\"\ntargets = [\"h*\"]\n";
    let module = module().settings(target);
    module.more(&without("\"g\"", "")).bound(3);
}

#[test]
fn a_call_through_a_pointer_may_be_of_all_that_begin_so() {
    Module::new("many-targets")
        .function("f", "call *%rax\nret")
        .function("h1", "ret")
        .function("h2", "nop\nret")
        .settings("[[indirect]]\nfunction = \"f\"\ntargets = [\"h*\"]\n")
        .bound(2 + 2);
}

#[test]
fn a_function_may_take_so_many_instructions_by_assumption() {
    let module = || {
        Module::new("given")
            .function("f", "call g\nret")
            .function("g", "call *%rax\nret")
    };
    module().refused("calls through a pointer");
    module().row("without = [\"g = 40\"]\n").bound(2 + 40);
    module()
        .row("without = [\"h = 40\"]\n")
        .refused("there is no function h");
}

#[test]
fn each_command_needs_a_line_or_a_reason() {
    let module = || {
        Module::new("commands")
            .commands("#define F_DO\t_IO('f', 1)\n#define F_DONE 1\n")
            .function("f", "ret")
    };
    module().refused("not ok F_DO: is a command, but no line has it");
    module().row("ioctls = [\"F_DO\"]\n").bound(1);
    module().more(&without("", "\"F_DO\"")).bound(1);
    module()
        .row("ioctls = [\"F_DO\", \"F_DONE\"]\n")
        .refused("F_DONE: is listed, but is no command");
}
