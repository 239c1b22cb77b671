// SPDX-License-Identifier: GPL-2.0

//! A run: its results file, as `scripts/bench` writes it.

use std::{fs, path::Path};

use serde_json::{Map, Value};

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, String>;

/// The results of one run.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// All other fields of the file: date, commit, kernel and so on.
    pub about: Map<String, Value>,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// One figure. Fields that are not in the file are None or empty.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    pub group: String,
    pub case: String,
    pub subject: String,
    pub unit: String,
    pub machine: String,
    pub state: String,
    pub note: String,
    pub size: Option<f64>,
    pub pages: Option<f64>,
    pub pool: Option<f64>,
    pub fill: Option<f64>,
    pub waiters: Option<f64>,
    pub n: Option<f64>,
    pub min: Option<f64>,
    pub median: Option<f64>,
    pub p99: Option<f64>,
    pub p999: Option<f64>,
    pub max: Option<f64>,
    pub refused: Option<f64>,
    /// Upper ends of classes, and the number of samples in each.
    pub histogram: Vec<(f64, f64)>,
}

impl Figure {
    fn read(value: &Value) -> Result<Self> {
        let fields = value.as_object().ok_or("it is not an object")?;
        let text = |name: &str| -> String {
            let found = fields.get(name).and_then(Value::as_str);
            found.unwrap_or_default().into()
        };
        let number = |name: &str| fields.get(name).and_then(Value::as_f64);
        for name in ["group", "case", "subject", "unit", "machine"] {
            if text(name).is_empty() {
                return Err(format!("it has no {name}"));
            }
        }
        Ok(Self {
            group: text("group"),
            case: text("case"),
            subject: text("subject"),
            unit: text("unit"),
            machine: text("machine"),
            state: text("state"),
            note: text("note"),
            size: number("size"),
            pages: number("pages"),
            pool: number("pool"),
            fill: number("fill"),
            waiters: number("waiters"),
            n: number("n"),
            min: number("min"),
            median: number("median"),
            p99: number("p99"),
            p999: number("p999"),
            // The largest cost that occurred in every repetition, if known: the cost of an
            // interrupt is not the subject's.
            max: number("max_repeated").or(number("max")),
            refused: number("refused"),
            histogram: histogram(fields.get("histogram"))?,
        })
    }

    /// Whether it has values: a figure may only say that a kernel does
    /// not have something, or that every call was refused.
    pub fn is_measured(&self) -> bool {
        self.median.is_some() && self.n != Some(0.0)
    }

    /// Whether most calls failed: their cost is not that of a
    /// granted call.
    pub fn is_refusal(&self) -> bool {
        matches!((self.refused, self.n), (Some(refused), Some(n)) if n > 0.0 && refused * 2.0 > n)
    }

    /// Whether it is of GenP.
    pub fn is_ours(&self) -> bool {
        self.subject.contains("genp")
    }

    /// Whether it is of a peer: "nobody" is the overhead of measuring, and "kernel" the
    /// cost of a call that does nothing.
    pub fn is_peer(&self) -> bool {
        !self.is_ours() && !["nobody", "kernel"].contains(&self.subject.as_str())
    }

    /// The identity as text, the same in two runs.
    pub fn name(&self) -> String {
        let mut words = vec![
            self.group.clone(),
            self.case.clone(),
            self.subject.clone(),
            self.machine.clone(),
        ];
        let numbers = [
            ("size", self.size),
            ("pages", self.pages),
            ("pool", self.pool),
            ("fill", self.fill),
            ("waiters", self.waiters),
        ];
        for (what, number) in numbers {
            words.extend(number.map(|number| format!("{what}={number}")));
        }
        if !self.state.is_empty() {
            words.push(self.state.clone());
        }
        words.join(" ")
    }
}

fn histogram(value: Option<&Value>) -> Result<Vec<(f64, f64)>> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let classes = value.as_array().ok_or("its histogram is no list")?;
    let read = |class: &Value| match class.as_array().map(Vec::as_slice) {
        Some([upper, count]) => upper.as_f64().zip(count.as_f64()),
        _ => None,
    };
    let read_all: Option<Vec<_>> = classes.iter().map(read).collect();
    read_all.ok_or_else(|| "its histogram is no list of pairs".into())
}

impl Run {
    /// Parses a results file.
    pub fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let Value::Object(mut about) = value else {
            return Err("it is not a JSON object".into());
        };
        let Some(Value::Array(results)) = about.remove("results") else {
            return Err("it has no list of results".into());
        };
        let read = |(number, value): (usize, &Value)| {
            Figure::read(value).map_err(|why| format!("result {}: {why}", number + 1))
        };
        let figures = results
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<_>>()?;
        Ok(Self { about, figures })
    }

    /// Reads a results file.
    pub fn read(path: &Path) -> Result<Self> {
        let context = |why: String| format!("{}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|error| context(error.to_string()))?;
        Self::parse(&text).map_err(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_left_out_and_what_is_wrong_is_named() {
        let text = r#"{"when": "today", "results": [{"group": "kernel", "case": "page",
            "subject": "genp", "unit": "ns", "machine": "um1", "median": 5, "n": 3,
            "histogram": [[4, 1], [5, 2]], "unknown": [1]}]}"#;
        let run = Run::parse(text).unwrap();
        let figure = &run.figures[0];
        assert_eq!(run.about["when"], "today");
        assert_eq!(figure.median, Some(5.0));
        assert_eq!(figure.histogram, [(4.0, 1.0), (5.0, 2.0)]);
        assert!(figure.is_measured() && figure.is_ours() && figure.max.is_none());
        for (text, why) in [
            ("[]", "not a JSON object"),
            ("{}", "no list of results"),
            (r#"{"results": [5]}"#, "result 1: it is not an object"),
            (
                r#"{"results": [{"group": "kernel"}]}"#,
                "result 1: it has no case",
            ),
        ] {
            let error = Run::parse(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_figure_of_refusals_is_no_price() {
        let mut figure = Figure {
            n: Some(100.0),
            median: Some(20.0),
            ..Default::default()
        };
        assert!(!figure.is_refusal());
        figure.refused = Some(100.0);
        assert!(figure.is_refusal());
        figure.refused = Some(1.0);
        assert!(!figure.is_refusal());
    }
}
