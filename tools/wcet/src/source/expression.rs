// SPDX-License-Identifier: GPL-2.0

//! Expressions of integers, as Rust and C write them: enough for the constants of the
//! source.

use std::{iter::Peekable, vec::IntoIter};

use crate::problem::Result;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Number(u64),
    Name(String),
    Sign(String),
}

/// The value of an expression; `named` has the values of names.
pub fn value(text: &str, named: &mut dyn FnMut(&str) -> Result<u64>) -> Result<u64> {
    let mut parser = Parser {
        tokens: tokens(text)?.into_iter().peekable(),
        named,
    };
    let value = parser.binary(0)?;
    match parser.tokens.next() {
        None => Ok(value),
        Some(token) => Err(format!("'{text}': {token:?} is not understood")),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(&letter) = letters.peek() {
        if letter.is_whitespace() {
            letters.next();
        } else if letter.is_alphanumeric() || letter == '_' {
            let mut word = String::new();
            while let Some(next) =
                letters.next_if(|next| next.is_alphanumeric() || "_:".contains(*next))
            {
                word.push(next);
            }
            tokens.push(match letter.is_ascii_digit() {
                true => Token::Number(number(&word)?),
                false => Token::Name(word),
            });
        } else {
            letters.next();
            let doubled = letters.next_if(|next| *next == letter && "<>".contains(letter));
            tokens.push(Token::Sign(
                std::iter::once(letter).chain(doubled).collect(),
            ));
        }
    }
    Ok(tokens)
}

/// A literal, with the suffixes that types have in both languages.
fn number(word: &str) -> Result<u64> {
    let plain = word.replace('_', "").to_lowercase();
    let (digits, radix) = match plain.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => match plain.strip_prefix("0b") {
            Some(digits) => (digits, 2),
            None => (&*plain, 10),
        },
    };
    let digits = digits
        .trim_end_matches("usize")
        .trim_end_matches(['u', 'l']);
    let digits = ["u8", "u16", "u32", "u64", "i32", "i64"]
        .iter()
        .find_map(|suffix| digits.strip_suffix(suffix))
        .unwrap_or(digits);
    u64::from_str_radix(digits, radix).map_err(|_| format!("'{word}' is no number"))
}

struct Parser<'a> {
    tokens: Peekable<IntoIter<Token>>,
    named: &'a mut dyn FnMut(&str) -> Result<u64>,
}

/// Operators, those that bind less first.
const LEVELS: [&[&str]; 5] = [&["|"], &["&"], &["<<", ">>"], &["+", "-"], &["*", "/", "%"]];

impl Parser<'_> {
    fn binary(&mut self, level: usize) -> Result<u64> {
        let Some(signs) = LEVELS.get(level) else {
            return self.operand();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(Token::Sign(sign)) = self
            .tokens
            .next_if(|token| matches!(token, Token::Sign(sign) if signs.contains(&&**sign)))
        {
            let right = self.binary(level + 1)?;
            let shift = u32::try_from(right).unwrap_or(u32::MAX);
            let result = match &*sign {
                "|" => Some(left | right),
                "&" => Some(left & right),
                "<<" => left.checked_shl(shift),
                ">>" => left.checked_shr(shift),
                "+" => left.checked_add(right),
                "-" => left.checked_sub(right),
                "*" => left.checked_mul(right),
                "/" => left.checked_div(right),
                _ => left.checked_rem(right),
            };
            left = result.ok_or_else(|| format!("{left} {sign} {right} has no value"))?;
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<u64> {
        let value = match self.tokens.next() {
            Some(Token::Number(value)) => value,
            Some(Token::Name(name)) => (self.named)(&name)?,
            Some(Token::Sign(sign)) if sign == "(" => {
                let value = self.binary(0)?;
                self.tokens
                    .next_if_eq(&Token::Sign(")".to_owned()))
                    .ok_or("a ) is missing")?;
                value
            }
            other => return Err(format!("{other:?} is not understood")),
        };
        // A cast changes nothing that matters here.
        if self
            .tokens
            .next_if_eq(&Token::Name("as".to_owned()))
            .is_some()
        {
            self.tokens.next();
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<u64> {
        value(text, &mut |name| match name {
            "A" => Ok(7),
            _ => Err(format!("{name}?")),
        })
    }

    #[test]
    fn operators_bind_as_they_do_in_rust() {
        assert_eq!(of("1 + A * 2"), Ok(15));
        assert_eq!(of("(1 << 6 * 2) | 1"), Ok(4097));
        assert_eq!(of("10 - 2 - 3"), Ok(5));
    }

    #[test]
    fn literals_have_suffixes() {
        assert_eq!(of("1_000u32 + 0x10 as u64 + 2ULL"), Ok(1018));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["", "1 +", "B", "1 2", "f(3)", "1 - 2", "(1"] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
