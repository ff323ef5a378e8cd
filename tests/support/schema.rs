//! A validator of the part of JSON Schema (draft 7) that our schemas use; it knows every keyword in them.

use regex::Regex;
use serde_json::{Map, Value};

/// What is wrong with `value`, each with its place.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut validator = Validator {
        root: schema,
        faults: &mut faults,
    };
    validator.value(schema, value, "");
    faults
}

struct Validator<'a> {
    root: &'a Value,
    faults: &'a mut Vec<String>,
}

impl Validator<'_> {
    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        let rules = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return self.fault(at, "nothing is allowed here"),
            Value::Object(rules) => rules,
            other => panic!("{other} is no schema"),
        };
        for (keyword, rule) in rules {
            self.rule(keyword, rule, rules, value, at);
        }
    }

    fn rule(
        &mut self,
        keyword: &str,
        rule: &Value,
        rules: &Map<String, Value>,
        value: &Value,
        at: &str,
    ) {
        match (keyword, value) {
            ("$ref", _) => {
                let pointer = rule
                    .as_str()
                    .and_then(|to| to.strip_prefix('#'))
                    .expect("a local $ref");
                let target = self
                    .root
                    .pointer(pointer)
                    .unwrap_or_else(|| panic!("{pointer} leads nowhere"));
                self.value(&target.clone(), value, at);
            }
            ("type", _) if !is_type(rule, value) => {
                self.fault(at, &format!("{value} is not of type {rule}"))
            }
            ("enum", _) if !list(rule).contains(value) => {
                self.fault(at, &format!("{value} is not in {rule}"))
            }
            ("const", _) if rule != value => self.fault(at, &format!("{value} is not {rule}")),
            ("pattern", Value::String(text)) => {
                let pattern = Regex::new(rule.as_str().expect("a pattern")).expect("a pattern");
                if !pattern.is_match(text) {
                    self.fault(at, &format!("{text:?} does not match {rule}"));
                }
            }
            ("minimum", Value::Number(number)) if number.as_f64() < rule.as_f64() => {
                self.fault(at, &format!("{number} is below {rule}"));
            }
            ("maximum", Value::Number(number)) if number.as_f64() > rule.as_f64() => {
                self.fault(at, &format!("{number} is above {rule}"));
            }
            ("minItems", Value::Array(items)) if Some(items.len() as u64) < rule.as_u64() => {
                self.fault(at, &format!("{} items are too few", items.len()));
            }
            ("items", Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(rule, item, &format!("{at}/{index}"));
                }
            }
            ("required", Value::Object(fields)) => {
                for name in list(rule).iter().filter_map(Value::as_str) {
                    if !fields.contains_key(name) {
                        self.fault(at, &format!("`{name}` is missing"));
                    }
                }
            }
            ("properties", Value::Object(fields)) => {
                for (name, schema) in rule.as_object().expect("properties") {
                    if let Some(value) = fields.get(name) {
                        self.value(schema, value, &format!("{at}/{name}"));
                    }
                }
            }
            ("additionalProperties", Value::Object(fields)) => {
                let known = rules.get("properties").and_then(Value::as_object);
                for (name, value) in fields {
                    if known.is_none_or(|known| !known.contains_key(name)) {
                        self.value(rule, value, &format!("{at}/{name}"));
                    }
                }
            }
            ("anyOf", _) if self.matching(rule, value) == 0 => {
                self.fault(at, "none of the choices fits")
            }
            ("oneOf", _) => match self.matching(rule, value) {
                1 => {}
                0 => self.fault(at, "none of the choices fits"),
                many => self.fault(at, &format!("{many} of the choices fit")),
            },
            ("allOf", _) => list(rule)
                .iter()
                .for_each(|part| self.value(part, value, at)),
            (
                "$schema"
                | "title"
                | "description"
                | "definitions"
                | "format"
                | "default"
                | "type"
                | "enum"
                | "const"
                | "pattern"
                | "minimum"
                | "maximum"
                | "minItems"
                | "items"
                | "required"
                | "properties"
                | "additionalProperties"
                | "anyOf",
                _,
            ) => {}
            (other, _) => panic!("the validator does not know `{other}`"),
        }
    }

    fn matching(&self, choices: &Value, value: &Value) -> usize {
        let fits = |choice: &&Value| {
            let mut faults = Vec::new();
            let mut validator = Validator {
                root: self.root,
                faults: &mut faults,
            };
            validator.value(choice, value, "");
            faults.is_empty()
        };
        list(choices).iter().filter(fits).count()
    }

    fn fault(&mut self, at: &str, what: &str) {
        self.faults.push(format!("{at}: {what}"));
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn is_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("`{other}` is no type"),
    };
    match rule {
        Value::String(name) => is(name),
        many => list(many).iter().filter_map(Value::as_str).any(is),
    }
}
