// SPDX-License-Identifier: GPL-2.0

//! The program as a whole, on small modules of assembly whose longest paths are known.

#[allow(dead_code)] // Not all of it is used here.
mod module;

use module::Module;

/// f() and its longest path: `ok` with this bound, or `not ok` with this in it.
fn bound(module: Module, instructions: u64) {
    module.bound(instructions);
}

fn refused(module: Module, why: &str) {
    module.refused(why);
}

#[test]
fn of_two_ways_the_longer_one_counts() {
    bound(
        Module::new("diamond").function(
            "f",
            "test %edi, %edi\nje 1f\nnop\nnop\nnop\njmp 2f\n1: nop\n2: ret",
        ),
        2 + 4 + 1,
    );
}

/// The lines of the source that the loops are in.
const LOOPS: &str = "const OUTER: u32 = 2 * 2;\nfn f() {\n// loop-bound: OUTER - 1\nwhile a() {\n\
                     // loop-bound: 5\nwhile b() {\n}\n}\n}\n";

const NESTED: &str = "# 4 \"genp/loops.rs\"\n1: nop\n# 6 \"genp/loops.rs\"\n2: dec %edi\njne 2b\n\
                      # 4 \"genp/loops.rs\"\ndec %esi\njne 1b\nret";

#[test]
fn a_loop_in_a_loop_turns_as_often_as_both_say() {
    // A turn of the outer one: nop, the inner one five times and once more, two.
    let turn = 1 + 6 * 2 + 2;
    bound(
        Module::new("nested").source(LOOPS).function("f", NESTED),
        4 * turn + 1,
    );
}

#[test]
fn a_loop_may_turn_so_often_in_all() {
    let source = LOOPS.replace("loop-bound: 5", "loop-total: 5");
    // The inner one once in each turn, on the way out, and five times in all.
    let turn = 1 + 2 + 2;
    bound(
        Module::new("total").source(&source).function("f", NESTED),
        4 * turn + 1 + 5 * 2,
    );
    // However often, and from wherever, the function with it is called.
    let code = "call g\ncall g\n1: call g\n# 4 \"genp/loops.rs\"\ndec %esi\njne 1b\nret";
    let inner = "# 6 \"genp/loops.rs\"\n2: dec %edi\njne 2b\nret";
    let calls = code.replace("1: call", "# 4 \"genp/loops.rs\"\n1: call");
    bound(
        Module::new("total-called")
            .source(&source)
            .function("g", inner)
            .function("f", &calls),
        2 * (1 + 3) + 4 * (1 + 3 + 2) + 1 + 5 * 2,
    );
}

#[test]
fn a_call_may_be_made_so_often_in_all() {
    let source = "fn f() {\n// loop-bound: 8\nwhile a() {\n// call-total: 2\ng();\n}\n}\n";
    let code = "# 3 \"genp/loops.rs\"\n1: nop\n# 5 \"genp/loops.rs\"\ncall g\n\
                # 3 \"genp/loops.rs\"\ndec %esi\njne 1b\nret";
    let module = |code: &str| {
        Module::new("calls-in-all")
            .source(source)
            .function("g", "nop\nnop\nret")
            .function("f", code)
    };
    // The call itself counts in each turn.
    bound(module(code), 9 * 4 + 1 + 2 * 3);
    bound(module(&code.replace("# 5", "# 3")), 9 * (4 + 3) + 1);
}

#[test]
fn a_loop_without_an_annotation_is_refused() {
    let source = LOOPS.replace("// loop-bound: 5", "//");
    refused(
        Module::new("unbounded")
            .source(&source)
            .function("f", NESTED),
        "a loop has no bound",
    );
}

#[test]
fn an_annotation_of_another_loop_does_not_count() {
    let elsewhere = NESTED.replace("# 6 ", "# 16 ");
    refused(
        Module::new("elsewhere")
            .source(LOOPS)
            .function("f", &elsewhere),
        "a loop has no bound",
    );
}

#[test]
fn an_annotation_with_an_unknown_constant_ends_the_run() {
    let source = LOOPS.replace("OUTER - 1", "INNER");
    let out = Module::new("constant")
        .source(&source)
        .function("f", "ret")
        .check();
    assert!(
        !out.good && out.text.contains("there is no constant INNER"),
        "{}",
        out.text
    );
}

#[test]
fn a_loop_with_two_entries_is_refused() {
    let code = "test %edi, %edi\nje 2f\n1: dec %edi\n2: dec %esi\njne 1b\nret";
    refused(
        Module::new("two-entries").function("f", code),
        "entered in its middle",
    );
}

#[test]
fn of_a_jump_table_the_longest_way_counts() {
    let code = "jmp *table(,%rdi,8)\n1: ret\n2: nop\nnop\nret\n3: nop\nret\n\
                .section .rodata\ntable: .quad 1b, 2b, 3b\n.text";
    bound(Module::new("table").function("f", code), 4);
}

#[test]
fn what_is_called_counts() {
    let module = Module::new("calls")
        .function("g", "nop\ncall memory\nret")
        .function("h", "nop\njmp g")
        .function("f", "call g\ncall h\nret")
        .settings("[[callee]]\nnames = [\"memory\"]\nbound = 100\nhow = \"\"\n");
    let g = 1 + 1 + 100 + 1;
    bound(module, (1 + g) + (1 + 2 + g) + 1);
}

#[test]
fn a_function_may_be_jumped_to_on_a_condition() {
    let module = Module::new("leaves")
        .function("g", "nop\nnop\nret")
        .function("f", "test %edi, %edi\nje g\nnop\nret");
    bound(module, 2 + 3);
}

#[test]
fn what_the_kernel_calls_back_counts() {
    let module = Module::new("back")
        .function("g", "nop\nnop\nret")
        .function("f", "call walk\nret")
        .settings("[[callee]]\nnames = [\"walk\"]\nbound = 100\ncalls = [\"g\"]\nhow = \"\"\n");
    bound(module, (1 + 100 + 3) + 1);
}

#[test]
fn an_unknown_function_of_the_kernel_is_refused() {
    refused(
        Module::new("unknown").function("f", "call memory\nret"),
        "memory() of the kernel has no bound",
    );
}

#[test]
fn a_call_through_a_pointer_needs_its_targets() {
    let module = || {
        Module::new("pointer")
            .function("g", "nop\nret")
            .function("f", "call *%rdi\nret")
    };
    refused(module(), "calls through a pointer");
    bound(
        module().settings("[[indirect]]\nfunction = \"f\"\ntargets = [\"g\"]\n"),
        1 + 2 + 1,
    );
}

#[test]
fn recursion_is_refused() {
    let module = Module::new("recursion")
        .function("g", "call f\nret")
        .function("f", "call g\nret");
    refused(module, "recursion: f, g");
}

#[test]
fn a_string_instruction_counts_its_repetitions() {
    bound(
        Module::new("string").function("f", "mov $9, %ecx\nrep stosb\nret"),
        1 + 9 + 1,
    );
    refused(
        Module::new("string-unknown").function("f", "mov %esi, %ecx\nrep stosb\nret"),
        "a string instruction has no bound",
    );
}

#[test]
fn of_what_the_kernel_replaces_the_longest_counts() {
    let code = "1: nopl 0(%rax)\n2: ret\n.section .altinstr_replacement, \"ax\"\n3: nop\nnop\nnop\n4:\n\
                .section .altinstructions, \"a\"\n.long 1b - ., 3b - ., 0\n.byte 2b - 1b, 4b - 3b\n.text";
    bound(Module::new("alternative").function("f", code), 3 + 1);
}

#[test]
fn a_trap_ends_a_path() {
    bound(
        Module::new("trap").function("f", "test %edi, %edi\nje 1f\nret\n1: nop\nnop\nud2"),
        3,
    );
}

#[test]
fn a_call_of_a_statement_that_is_not_reached_does_not_count() {
    let source = "fn f() {\n// not-reached: there is one.\ng();\n}\n";
    let code = "test %edi, %edi\nje 1f\nret\n# 3 \"genp/loops.rs\"\n1: call g\nret";
    bound(
        Module::new("not-reached")
            .source(source)
            .function("g", "ret")
            .function("f", code),
        3,
    );
}

#[test]
fn a_count_above_the_bound_is_seen() {
    refused(
        Module::new("count").function("f", "nop\nret").counted(3),
        "counted 3, more than the bound 2",
    );
}

#[test]
fn a_bound_far_above_the_counts_needs_a_reason() {
    let code = "nop\n".repeat(9) + "ret";
    bound(Module::new("near").function("f", &code).counted(4), 10);
    refused(
        Module::new("far").function("f", &code).counted(3),
        "more than 3 times the highest count 3",
    );
    bound(
        Module::new("excused")
            .function("f", &code)
            .counted(3)
            .row("because = \"why\"\n"),
        10,
    );
}

#[test]
fn a_function_that_is_not_called_makes_a_bound_of_its_own() {
    let module = Module::new("without")
        .function("g", "nop\nnop\nret")
        .function("f", "test %edi, %edi\nje 1f\nnop\nret\n1: call g\nret")
        .row("counted_without = [\"g\"]\n")
        .counted(4);
    let out = module.check();
    assert!(
        out.good
            && out
                .text
                .contains("ok f: at most 7, comparable 4, counted 4"),
        "{}",
        out.text
    );
}

#[test]
fn what_is_not_called_is_in_no_other_function_always_called() {
    let module = |row: &str| {
        Module::new("always")
            .function("g", "nop\nret")
            .function("h", "call g\nnop\nret")
            .function("f", "test %edi, %edi\nje 1f\nnop\nret\n1: call h\nret")
            .row(row)
    };
    refused(
        module("without = [\"g\"]\n"),
        "h always calls what is not called",
    );
    bound(module("without = [\"g\", \"h\"]\n"), 4);
}

#[test]
fn a_function_may_be_called_by_others_only() {
    let module = |row: &str| {
        Module::new("pair")
            .function("g", "nop\nnop\nret")
            .function("h", "test %edi, %edi\nje 1f\nret\n1: call g\nret")
            .function("f", "call h\ncall g\nret")
            .row(row)
    };
    let g = 1 + 3;
    bound(module(""), 1 + (2 + g + 1) + g + 1);
    bound(module("without = [\"h -> g\"]\n"), 1 + 3 + g + 1);
    refused(
        module("without = [\"f -> g\"]\n"),
        "f has no path to its end",
    );
    refused(module("without = [\"h -> j\"]\n"), "there is no function j");
}

#[test]
fn a_line_may_be_without_a_function_and_counted_with_other_numbers() {
    let module = Module::new("conditions")
        .function("g", "nop\nnop\nret")
        .function("f", "test %edi, %edi\nje 1f\ncall walk\nret\n1: call g\ncall walk\nret")
        .settings(
            "[parameters]\nlength = 100\n[[callee]]\nnames = [\"walk\"]\nbound = \"length\"\nhow = \"\"\n",
        )
        .row("without = [\"g\"]\ncounted_with = { length = 5 }\n")
        .counted(9);
    let out = module.check();
    assert!(
        out.good
            && out
                .text
                .contains("ok f: at most 104, comparable 9, counted 9"),
        "{}",
        out.text
    );
}

#[test]
fn a_row_may_have_a_line_for_each_size() {
    let module = Module::new("sizes")
        .function("f", "call walk\nret")
        .settings("[parameters]\nn = 0\n[[callee]]\nnames = [\"walk\"]\nbound = \"n\"\nhow = \"\"\n")
        .more("[[row]]\nwhat = \"{n} pages\"\ncalls = [\"f\"]\ncounts = [\"{n} of f\"]\neach = { n = [4, 8] }\n");
    let out = module.check();
    assert!(
        out.text.contains("4 pages: no count has its name")
            && out.text.contains("8 pages: no count has its name"),
        "{}",
        out.text
    );
}

#[test]
fn the_page_has_the_tables_of_now() {
    let module = Module::new("page").function("f", "nop\nret").counted(2);
    let page = module.page("old");
    assert!(!module.check().good);
    assert!(module.write_page());
    let text = std::fs::read_to_string(page).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(
        words
            .join(" ")
            .contains("\"f\", \"2\", \"2\", \"2\", \"1.00\""),
        "{text}"
    );
    assert!(module.check().good);
}
