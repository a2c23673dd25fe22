//! Profiles that the `pstats` module keeps: marshalled dictionaries of plain values. Nothing is ever made
//! of code in them.

use std::rc::Rc;

use super::bytes::Bytes;
use super::located::{Fact, Grain, Located, Place};
use super::{Damage, Problem};
use crate::profile::Time;

/// Values within values.
const DEPTH: u32 = 16;
/// The bit that gives a value a number for later references.
const NUMBERED: u8 = 0x80;

#[derive(Debug, Clone)]
enum Value {
    Nothing,
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    Tuple(Rc<Vec<Value>>),
    Dict(Rc<Vec<(Value, Value)>>),
}

impl Value {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    fn seconds(&self) -> Option<f64> {
        let seconds = match self {
            Self::Float(value) => *value,
            Self::Int(value) => *value as f64,
            _ => return None,
        };
        (seconds.is_finite() && (0.0..1e12).contains(&seconds)).then_some(seconds)
    }

    fn tuple(&self) -> Option<&[Value]> {
        match self {
            Self::Tuple(values) => Some(values),
            _ => None,
        }
    }
}

struct Reader<'b> {
    bytes: Bytes<'b>,
    numbered: Vec<Value>,
    problem: Option<String>,
}

impl Reader<'_> {
    fn refuse(&mut self, what: &str) -> Option<Value> {
        self.problem.get_or_insert_with(|| what.to_owned());
        None
    }

    /// The next value; none at damage, or at what is refused. The end of a dictionary is `Ok(None)`.
    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth == 0 {
            return self.refuse("its values are nested too deeply");
        }
        let code = self.bytes.byte()?;
        let number = (code & NUMBERED != 0).then(|| {
            self.numbered.push(Value::Nothing);
            self.numbered.len() - 1
        });
        let value = match code & !NUMBERED {
            b'N' | b'F' | b'T' | b'.' | b'S' => Value::Nothing,
            b'i' => Value::Int(i64::from(self.bytes.u32()?.cast_signed())),
            b'l' => self.long()?,
            b'g' => Value::Float(f64::from_bits(self.bytes.u64()?)),
            b'z' | b'Z' => {
                let length = usize::from(self.bytes.byte()?);
                self.string(length)?
            }
            b'a' | b'A' | b'u' | b't' => {
                let length = self.bytes.u32()? as usize;
                self.string(length)?
            }
            b')' => {
                let length = usize::from(self.bytes.byte()?);
                self.values(length, depth)?
            }
            b'(' | b'>' | b'<' | b'[' => {
                let length = self.bytes.u32()? as usize;
                self.values(length, depth)?
            }
            b'{' => self.dict(depth)?,
            b'r' => {
                let number = self.bytes.u32()? as usize;
                return self.numbered.get(number).cloned();
            }
            b'c' => self.code(depth)?,
            // Parts of code objects.
            b's' => {
                let length = self.bytes.u32()? as usize;
                self.bytes.take(length)?;
                Value::Nothing
            }
            b'y' => {
                self.bytes.take(16)?;
                Value::Nothing
            }
            b':' => self.values(3, depth)?,
            other => {
                return self.refuse(&format!(
                    "it holds a value of type {other:#04x}, which is not read"
                ));
            }
        };
        if let Some(number) = number {
            self.numbered[number] = value.clone();
        }
        Some(value)
    }

    /// The name of a code object, which `profile` has where it ran a script: the rest is passed over, and
    /// nothing is made of it (`w_complex_object` in `Python/marshal.c`, the same since 3.11).
    fn code(&mut self, depth: u32) -> Option<Value> {
        self.bytes.take(5 * 4)?;
        for _ in 0..6 {
            self.value(depth - 1)?;
        }
        let name = self.value(depth - 1)?;
        self.value(depth - 1)?;
        self.bytes.take(4)?;
        self.value(depth - 1)?;
        self.value(depth - 1)?;
        Some(Value::Text(name.text().unwrap_or("<code>").into()))
    }

    fn string(&mut self, length: usize) -> Option<Value> {
        let bytes = self.bytes.take(length)?;
        Some(Value::Text(String::from_utf8_lossy(bytes).into()))
    }

    fn values(&mut self, length: usize, depth: u32) -> Option<Value> {
        if length > self.bytes.left() {
            return None;
        }
        let values: Option<Vec<_>> = (0..length).map(|_| self.value(depth - 1)).collect();
        Some(Value::Tuple(Rc::new(values?)))
    }

    /// Digits of 15 bits, the sign in their number.
    fn long(&mut self) -> Option<Value> {
        let count = self.bytes.u32()?.cast_signed();
        let mut value = 0_i64;
        for place in 0..count.unsigned_abs() {
            let digit = i64::from(self.bytes.u16()?);
            value = if place < 4 {
                value | digit << (15 * place)
            } else {
                i64::MAX
            };
        }
        Some(Value::Int(if count < 0 { -value } else { value }))
    }

    fn dict(&mut self, depth: u32) -> Option<Value> {
        let mut entries = Vec::new();
        loop {
            if self.ends()? {
                return Some(Value::Dict(Rc::new(entries)));
            }
            entries.push((self.value(depth - 1)?, self.value(depth - 1)?));
        }
    }

    /// Whether a dictionary ends here.
    fn ends(&mut self) -> Option<bool> {
        let mut ahead = self.bytes;
        let ends = ahead.byte()? == b'0';
        if ends {
            self.bytes = ahead;
        }
        Some(ends)
    }
}

/// Reads a file; what comes before damage is kept.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let mut reader = Reader {
        bytes: Bytes::new(bytes),
        numbered: Vec::new(),
        problem: None,
    };
    // The outermost dictionary is read entry by entry, so that damage costs the rest only.
    if reader.bytes.byte().is_some_and(|code| code & NUMBERED != 0) {
        reader.numbered.push(Value::Nothing);
    }
    let mut entries = Vec::new();
    loop {
        let at = reader.bytes.offset();
        let entry = match reader.ends() {
            Some(true) => break,
            Some(false) => reader.value(DEPTH).zip(reader.value(DEPTH)),
            None => None,
        };
        let Some(entry) = entry else {
            let what = reader
                .problem
                .take()
                .unwrap_or_else(|| "the file is cut here".to_owned());
            damage.at(
                super::Place::Offset(at),
                &format!("{what}; what comes before is kept"),
            );
            break;
        };
        entries.push(entry);
    }
    let sampled = |key: &Value| key.tuple().and_then(|key| key.first()?.text()) == Some("__sampled__");
    let is_sampled = entries.iter().any(|(key, _)| sampled(key));
    let located = if is_sampled {
        lines(&entries)
    } else {
        functions(&entries, damage)
    };
    if located.facts.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: match damage.told.first() {
                Some(why) => format!("no function of a file could be read; {why}"),
                None => "no function of a file could be read".to_owned(),
            },
        });
    }
    Ok(located)
}

/// File, line and name.
fn key(value: &Value) -> Option<Place> {
    let [path, line, name] = value.tuple()? else {
        return None;
    };
    let line = u32::try_from(line.int()?).unwrap_or(0);
    Some(Place::line(path.text()?, name.text()?, line))
}

fn ns(seconds: f64) -> Time {
    Time {
        busy_ns: seconds * 1e9,
        ..Time::default()
    }
}

/// Of a sampler: lines that ran, samples of their own and with what they called.
fn lines(entries: &[(Value, Value)]) -> Located {
    let mut located = Located::new(Grain::Line);
    let mut samples = 0_u64;
    for (name, value) in entries {
        let (Some(place), Some([direct, _, own, total, _])) = (key(name), value.tuple()) else {
            continue;
        };
        let (Some(direct), Some(own), Some(total)) = (direct.int(), own.seconds(), total.seconds()) else {
            continue;
        };
        let direct = u64::try_from(direct).unwrap_or(0);
        samples = samples.saturating_add(direct);
        let own = Time {
            samples: direct,
            ..ns(own)
        };
        located.all.add(own);
        if let Some(position) = place.position {
            let line = located
                .lines
                .entry((place.path.clone(), position.line))
                .or_default();
            line.add(ns(total));
        }
        if place.is_in_file() {
            located.facts.push((
                place,
                Fact {
                    executions: None,
                    own,
                },
            ));
        }
    }
    located.samples = Some(samples);
    located
}

/// Of a tracing profiler: functions at their first lines. Time of C functions is their callers'.
fn functions(entries: &[(Value, Value)], damage: &mut Damage) -> Located {
    let mut located = Located::new(Grain::Function);
    let mut lent: Vec<(Place, f64)> = Vec::new();
    let mut odd = 0_u64;
    for (name, value) in entries {
        let (Some(place), Some([_, calls, own, total, callers])) = (key(name), value.tuple()) else {
            odd += 1;
            continue;
        };
        let (Some(own), Some(total)) = (own.seconds(), total.seconds()) else {
            odd += 1;
            continue;
        };
        located.all.add(ns(own));
        if !place.is_in_file() {
            lent.extend(lenders(callers, own));
            continue;
        }
        let line = place.position.map_or(0, |position| position.line);
        let place = Place {
            first_line: Some(line),
            ..place
        };
        let code = (place.path.clone(), place.function.clone(), place.first_line);
        located
            .lines
            .entry((place.path.clone(), line))
            .or_default()
            .add(ns(total));
        located.codes.insert(code.clone(), ns(total));
        if let Some(calls) = calls.int().and_then(|calls| u64::try_from(calls).ok()) {
            located.calls.insert(code, calls);
        }
        located.facts.push((
            place,
            Fact {
                executions: None,
                own: ns(own),
            },
        ));
    }
    if odd > 0 {
        damage.about(format!("{odd} entries are no functions with times and left out"));
    }
    for (caller, seconds) in lent {
        let known = located.facts.iter_mut().find(|(place, _)| {
            place.path == caller.path
                && place.function == caller.function
                && place.position == caller.position
        });
        if let Some((_, fact)) = known {
            fact.own.add(ns(seconds));
        }
    }
    located
        .notes
        .push("Time of C functions is counted as their callers' own.".to_owned());
    located
}

/// Who called a C function, and its own time in each; where only numbers of calls are known, none unless
/// there is but one caller.
fn lenders(callers: &Value, own: f64) -> Vec<(Place, f64)> {
    let Value::Dict(callers) = callers else {
        return Vec::new();
    };
    let share = |value: &Value| match value.tuple() {
        Some([_, _, own, _]) => own.seconds(),
        _ if callers.len() == 1 => Some(own),
        _ => None,
    };
    callers
        .iter()
        .filter_map(|(caller, value)| Some((key(caller)?, share(value)?)))
        .collect()
}
