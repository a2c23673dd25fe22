//! `line_profiler`'s saved profiles. They are pickles: the opcodes that build plain data are interpreted,
//! one class is let through by name, and whatever else could run or name anything is refused.

use std::rc::Rc;

use super::bytes::Bytes;
use super::located::{Fact, Grain, Located, Place};
use super::{Damage, Problem};
use crate::profile::Time;

/// Values on the stack, which also bounds how deeply they nest.
const STACK: usize = 1 << 12;

#[derive(Debug, Clone)]
enum Value {
    Mark,
    Nothing,
    Class,
    Object(Rc<Value>),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    /// Of plain values only.
    Tuple(Rc<[Value]>),
    /// Of tuples only.
    List(Vec<Rc<[Value]>>),
    Dict(Vec<(Value, Value)>),
}

impl Value {
    fn is_plain(&self) -> bool {
        matches!(
            self,
            Self::Nothing | Self::Int(_) | Self::Float(_) | Self::Text(_)
        )
    }

    fn int(&self) -> Option<u64> {
        match self {
            Self::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }
}

/// Why a pickle is not read.
enum Stop {
    Cut,
    Refused(String),
}

struct Machine<'b> {
    bytes: Bytes<'b>,
    stack: Vec<Value>,
    memo: Vec<Value>,
}

type Step = Result<(), Stop>;

fn refused<T>(what: &str) -> Result<T, Stop> {
    Err(Stop::Refused(what.to_owned()))
}

impl Machine<'_> {
    fn push(&mut self, value: Value) -> Step {
        if self.stack.len() >= STACK {
            return refused("too many values at once");
        }
        self.stack.push(value);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, Stop> {
        self.stack.pop().ok_or(Stop::Cut)
    }

    /// What is above the last mark.
    fn marked(&mut self) -> Result<Vec<Value>, Stop> {
        let mark = self.stack.iter().rposition(|value| matches!(value, Value::Mark));
        let mark = mark.ok_or(Stop::Cut)?;
        let values = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(values)
    }

    fn text(&mut self, length: usize) -> Step {
        let bytes = self.bytes.take(length).ok_or(Stop::Cut)?;
        let text = String::from_utf8_lossy(bytes);
        self.push(Value::Text(text.as_ref().into()))
    }

    fn tuple(&mut self, values: Vec<Value>) -> Step {
        if !values.iter().all(Value::is_plain) {
            return refused("a tuple of more than plain values");
        }
        self.push(Value::Tuple(values.into()))
    }

    fn append(&mut self, values: Vec<Value>) -> Step {
        let Some(Value::List(list)) = self.stack.last_mut() else {
            return refused("something is added to what is no list");
        };
        for value in values {
            match value {
                Value::Tuple(tuple) => list.push(tuple),
                _ => return refused("a list of something else than tuples"),
            }
        }
        Ok(())
    }

    fn set(&mut self, values: Vec<Value>) -> Step {
        let Some(Value::Dict(dict)) = self.stack.last_mut() else {
            return refused("something is put into what is no dictionary");
        };
        let mut values = values.into_iter();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            dict.push((key, value));
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Step {
        let ours = matches!(
            module,
            "line_profiler.line_profiler" | "line_profiler._line_profiler"
        );
        if ours && name == "LineStats" {
            return self.push(Value::Class);
        }
        let plain: String = format!("{module}.{name}")
            .chars()
            .filter(|c| !c.is_control())
            .take(60)
            .collect();
        refused(&format!("it names {plain}"))
    }

    fn remember(&mut self) -> Step {
        let value = self.stack.last().ok_or(Stop::Cut)?;
        // Containers are still empty now: to be asked for one later is refused there.
        let value = match value {
            Value::List(_) | Value::Dict(_) | Value::Object(_) => Value::Mark,
            value => value.clone(),
        };
        self.memo.push(value);
        Ok(())
    }

    fn recall(&mut self, number: usize) -> Step {
        match self.memo.get(number) {
            Some(Value::Mark) | None => refused("a container is used twice"),
            Some(value) => self.push(value.clone()),
        }
    }

    /// One opcode; true at the end. Numbers and names are those of `Lib/pickle.py`.
    fn step(&mut self) -> Result<bool, Stop> {
        let code = self.bytes.byte().ok_or(Stop::Cut)?;
        match code {
            0x80 => drop(self.bytes.byte().ok_or(Stop::Cut)?),
            0x95 => drop(self.bytes.u64().ok_or(Stop::Cut)?),
            0x8c => {
                let length = self.bytes.byte().ok_or(Stop::Cut)?;
                self.text(usize::from(length))?;
            }
            b'X' => {
                let length = self.bytes.u32().ok_or(Stop::Cut)?;
                self.text(length as usize)?;
            }
            0x94 => self.remember()?,
            b'h' => {
                let number = self.bytes.byte().ok_or(Stop::Cut)?;
                self.recall(usize::from(number))?;
            }
            b'j' => {
                let number = self.bytes.u32().ok_or(Stop::Cut)?;
                self.recall(number as usize)?;
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => self.global(&module, &name)?,
                _ => return refused("a name that is no text"),
            },
            b')' => self.tuple(Vec::new())?,
            0x81 => match (self.pop()?, self.pop()?) {
                (Value::Tuple(arguments), Value::Class) if arguments.is_empty() => {
                    self.push(Value::Object(Rc::new(Value::Nothing)))?;
                }
                _ => return refused("an object of an unknown class"),
            },
            b'}' => self.push(Value::Dict(Vec::new()))?,
            b']' => self.push(Value::List(Vec::new()))?,
            b'(' => self.push(Value::Mark)?,
            b'N' => self.push(Value::Nothing)?,
            b'K' => {
                let value = self.bytes.byte().ok_or(Stop::Cut)?;
                self.push(Value::Int(i64::from(value)))?;
            }
            b'M' => {
                let value = self.bytes.u16().ok_or(Stop::Cut)?;
                self.push(Value::Int(i64::from(value)))?;
            }
            b'J' => {
                let value = self.bytes.u32().ok_or(Stop::Cut)?;
                self.push(Value::Int(i64::from(value.cast_signed())))?;
            }
            0x8a => {
                let length = self.bytes.byte().ok_or(Stop::Cut)?;
                let bytes = self.bytes.take(usize::from(length)).ok_or(Stop::Cut)?;
                if bytes.len() > 8 {
                    return refused("a number of more than 64 bits");
                }
                let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
                let mut all = [if negative { 0xff } else { 0 }; 8];
                all[..bytes.len()].copy_from_slice(bytes);
                self.push(Value::Int(i64::from_le_bytes(all)))?;
            }
            b'G' => {
                let bytes = self.bytes.take(8).and_then(|bytes| bytes.try_into().ok());
                self.push(Value::Float(f64::from_be_bytes(bytes.ok_or(Stop::Cut)?)))?;
            }
            0x85..=0x87 => {
                let length = usize::from(code - 0x84);
                let at = self.stack.len().checked_sub(length).ok_or(Stop::Cut)?;
                let values = self.stack.split_off(at);
                self.tuple(values)?;
            }
            b't' => {
                let values = self.marked()?;
                self.tuple(values)?;
            }
            b'e' => {
                let values = self.marked()?;
                self.append(values)?;
            }
            b'a' => {
                let value = self.pop()?;
                self.append(vec![value])?;
            }
            b'u' => {
                let values = self.marked()?;
                self.set(values)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(vec![key, value])?;
            }
            b'b' => {
                let state = self.pop()?;
                match self.stack.last_mut() {
                    Some(Value::Object(object)) => *object = Rc::new(state),
                    _ => return refused("a state of no object"),
                }
            }
            b'.' => return Ok(true),
            other => return refused(&format!("it has the opcode {other:#04x}")),
        }
        Ok(false)
    }
}

/// Reads a file; a pickle that could do anything but hold numbers and texts is refused whole.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let mut machine = Machine {
        bytes: Bytes::new(bytes),
        stack: Vec::new(),
        memo: Vec::new(),
    };
    loop {
        let at = machine.bytes.offset();
        match machine.step() {
            Ok(true) => break,
            Ok(false) => {}
            Err(Stop::Cut) => {
                return Err(Problem::Damaged {
                    place: Some(super::Place::Offset(at)),
                    what: "the file is cut or damaged here".to_owned(),
                });
            }
            Err(Stop::Refused(what)) => {
                return Err(Problem::Refused(format!(
                    "this is a pickle with more than line_profiler's numbers, which could run anything: {what}. It was not unpickled"
                )));
            }
        }
    }
    let Some(Value::Object(state)) = machine.stack.pop() else {
        return Err(no_numbers());
    };
    let Value::Dict(state) = state.as_ref() else {
        return Err(no_numbers());
    };
    let find = |wanted: &str| {
        let found = state
            .iter()
            .find(|(key, _)| matches!(key, Value::Text(key) if &**key == wanted));
        found.map(|(_, value)| value)
    };
    let unit_ns = match find("unit") {
        Some(Value::Float(unit)) if (0.0..1e3).contains(unit) => unit * 1e9,
        _ => return Err(no_numbers()),
    };
    let Some(Value::Dict(timings)) = find("timings") else {
        return Err(no_numbers());
    };
    let mut located = Located::new(Grain::Line);
    let mut odd = 0_u64;
    for (key, rows) in timings {
        let (Value::Tuple(key), Value::List(rows)) = (key, rows) else {
            odd += 1;
            continue;
        };
        let [Value::Text(path), first_line, Value::Text(function)] = &**key else {
            odd += 1;
            continue;
        };
        for row in rows {
            let fact = (|| {
                let [line, hits, units] = &**row else { return None };
                let line = u32::try_from(line.int()?).ok()?;
                Some((line, hits.int()?, units.int()? as f64 * unit_ns))
            })();
            let Some((line, hits, ns)) = fact else {
                odd += 1;
                continue;
            };
            let own = Time {
                busy_ns: ns,
                ..Time::default()
            };
            located.all.add(own);
            let place = Place {
                first_line: first_line.int().and_then(|line| u32::try_from(line).ok()),
                ..Place::line(path, function, line)
            };
            let executions = Some(hits);
            located.facts.push((place, Fact { executions, own }));
        }
    }
    if odd > 0 {
        damage.about(format!("{odd} entries are no times of lines and left out"));
    }
    located
        .notes
        .push("line_profiler's time of a line includes what the line called.".to_owned());
    Ok(located)
}

fn no_numbers() -> Problem {
    Problem::Damaged {
        place: None,
        what: "this pickle has no times of lines".to_owned(),
    }
}
