// SPDX-License-Identifier: GPL-2.0

//! `#[pin_data]` of the kernel's crate `pin_init`: takes the marks `#[pin]` away, and
//! makes `project()`, for structures without parameters, which are all of the module's.

use proc_macro::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// A field, as tokens.
struct Field {
    pinned: bool,
    name: String,
    kind: String,
}

/// Splits the tokens of a structure's body at its commas, those within `<>` left alone.
fn split(body: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut fields = vec![Vec::new()];
    let mut depth = 0;
    for token in body {
        if let TokenTree::Punct(sign) = &token {
            match sign.as_char() {
                '<' => depth += 1,
                '>' => depth -= 1,
                ',' if depth == 0 => {
                    fields.push(Vec::new());
                    continue;
                }
                _ => {}
            }
        }
        fields.last_mut().expect("there is one").push(token);
    }
    fields.retain(|field| !field.is_empty());
    fields
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == sign)
}

/// Whether an attribute's tokens are `[pin]`.
fn is_pin(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.stream().to_string() == "pin")
}

/// `Self` in the type of a field is the structure.
fn text(tokens: &[TokenTree], owner: &str) -> String {
    let tokens: TokenStream = tokens
        .iter()
        .cloned()
        .map(|token| named(token, owner))
        .collect();
    tokens.to_string()
}

fn named(token: TokenTree, owner: &str) -> TokenTree {
    match token {
        TokenTree::Ident(name) if name.to_string() == "Self" => {
            TokenTree::Ident(Ident::new(owner, name.span()))
        }
        TokenTree::Group(group) => {
            let inner = group.stream().into_iter().map(|token| named(token, owner));
            TokenTree::Group(Group::new(group.delimiter(), inner.collect()))
        }
        other => other,
    }
}

/// Takes `#[pin]` out of a field; returns the field and the tokens that are left.
fn field(tokens: Vec<TokenTree>, owner: &str) -> (Field, Vec<TokenTree>) {
    let mut left = Vec::new();
    let mut pinned = false;
    let mut at = 0;
    while at < tokens.len() {
        if is_sign(tokens.get(at), '#') && is_pin(tokens.get(at + 1)) {
            pinned = true;
            at += 2;
        } else {
            left.push(tokens[at].clone());
            at += 1;
        }
    }
    // The first single colon ends the name; visibilities have none outside of groups.
    let colon = left
        .iter()
        .position(|token| is_sign(Some(token), ':'))
        .expect("a field has a type");
    let field = Field {
        pinned,
        name: left[colon - 1].to_string(),
        kind: text(&left[colon + 1..], owner),
    };
    (field, left)
}

fn projection(owner: &str, fields: &[Field]) -> String {
    let mut kinds = String::new();
    let mut values = String::new();
    for Field { pinned, name, kind } in fields {
        if *pinned {
            kinds += &format!("pub(crate) {name}: ::core::pin::Pin<&'a mut {kind}>,");
            values += &format!("{name}: ::core::pin::Pin::new_unchecked(&mut this.{name}),");
        } else {
            kinds += &format!("pub(crate) {name}: &'a mut {kind},");
            values += &format!("{name}: &mut this.{name},");
        }
    }
    format!(
        "const _: () = {{
            #[allow(dead_code, private_interfaces, clippy::all)]
            pub(crate) struct Projection<'a> {{ {kinds} _of: ::core::marker::PhantomData<&'a ()> }}
            impl {owner} {{
                #[allow(dead_code, private_interfaces, clippy::all)]
                pub(crate) fn project(self: ::core::pin::Pin<&mut Self>) -> Projection<'_> {{
                    // SAFETY: pinned fields are handed out pinned.
                    unsafe {{
                        let this = ::core::pin::Pin::get_unchecked_mut(self);
                        Projection {{ {values} _of: ::core::marker::PhantomData }}
                    }}
                }}
            }}
        }};"
    )
}

/// As that of the kernel's crate.
#[proc_macro_attribute]
pub fn pin_data(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    let mut owner = String::new();
    let mut extra = String::new();
    let mut after_struct = false;
    for token in item {
        match token {
            TokenTree::Ident(ref word) if after_struct => {
                owner = word.to_string();
                after_struct = false;
                out.push(token);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let mut body = TokenStream::new();
                let mut fields = Vec::new();
                for tokens in split(group.stream()) {
                    let (one, left) = field(tokens, &owner);
                    fields.push(one);
                    body.extend(left);
                    body.extend(",".parse::<TokenStream>().expect("a comma"));
                }
                extra = projection(&owner, &fields);
                out.push(TokenTree::Group(Group::new(Delimiter::Brace, body)));
            }
            token => {
                after_struct = token.to_string() == "struct";
                out.push(token);
            }
        }
    }
    let mut all: TokenStream = out.into_iter().collect();
    all.extend(extra.parse::<TokenStream>().expect("it is Rust"));
    all
}
