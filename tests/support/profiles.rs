//! Profiles built by hand, positions found in the source by their text.

use bytecost::profile::{
    Code, File, Instruction, Method, Misses, Note, Outcome, Pass, PassKind, Position, Profile, Python, Site,
    State, Workload, WorkloadKind,
};
use sha2::{Digest, Sha256};

/// A profile of one file.
pub struct Fixture {
    pub source: String,
    pub profile: Profile,
}

/// A code object being filled; see [`Fixture::code`].
pub struct Builder<'f> {
    source: &'f str,
    code: &'f mut Code,
}

pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

impl Fixture {
    /// A call of a function of `path`, 40 natural calls, one counted.
    pub fn new(path: &str, qualname: &str, source: &str) -> Self {
        let pass = |kind, calls, wall_ns, call_ns| Pass {
            kind,
            calls,
            wall_ns,
            call_ns,
            outcome: Outcome::Completed,
        };
        let profile = Profile {
            python: Python {
                version: "3.14.8".to_owned(),
                minor: "3.14".to_owned(),
                executable: "/usr/bin/python3.14".to_owned(),
                jit: "off".to_owned(),
                free_threaded: false,
                pystats: false,
                known: true,
            },
            workload: Workload {
                kind: WorkloadKind::Call,
                target: format!("{path}::{qualname}"),
                file: Some(path.to_owned()),
                qualname: Some(qualname.to_owned()),
                call: Some(format!("{qualname}()")),
                setup: None,
                arguments: Vec::new(),
            },
            passes: vec![
                pass(PassKind::Natural, 41, 258_710_000, Some(6_310_000.0)),
                pass(PassKind::Count, 1, 9_000_000, Some(9_000_000.0)),
            ],
            times: None,
            notes: Vec::new(),
            root: "/home/me/project".to_owned(),
            files: vec![File {
                path: path.to_owned(),
                digest: digest(source),
                text: None,
                codes: Vec::new(),
                totals: Vec::new(),
            }],
        };
        Self {
            source: source.to_owned(),
            profile,
        }
    }

    /// The same, of a file run as a script.
    pub fn script(path: &str, source: &str) -> Self {
        let mut fixture = Self::new(path, "", source);
        let workload = &mut fixture.profile.workload;
        workload.kind = WorkloadKind::Script;
        path.clone_into(&mut workload.target);
        workload.file = Some(path.to_owned());
        (workload.qualname, workload.call) = (None, None);
        fixture.profile.passes[0].calls = 1;
        fixture.profile.passes[0].call_ns = None;
        fixture
    }

    /// Adds a code object.
    pub fn code(&mut self, qualname: &str, lines: (u32, u32), calls: u64) -> Builder<'_> {
        let codes = &mut self.profile.files[0].codes;
        codes.push(Code {
            qualname: qualname.to_owned(),
            first_line: lines.0,
            last_line: lines.1,
            digest: format!("{:016x}", codes.len()),
            calls: Some(calls),
            withheld: false,
            failures: None,
            total: None,
            jit: None,
            instructions: Vec::new(),
        });
        Builder {
            source: &self.source,
            code: codes.last_mut().unwrap(),
        }
    }

    /// Takes all counts away, as after a single natural run.
    pub fn uncounted(mut self) -> Self {
        self.profile.passes.truncate(1);
        for code in self.profile.files.iter_mut().flat_map(|file| &mut file.codes) {
            code.calls = None;
            for instruction in &mut code.instructions {
                instruction.executions = None;
                if let Some(site) = &mut instruction.site {
                    site.deferred = None;
                    site.misses = None;
                }
            }
        }
        self
    }

    pub fn note(mut self, note: Note) -> Self {
        self.profile.notes.push(note);
        self
    }

    /// The text of the file, for `attribute`.
    pub fn text(&self, path: &str) -> Option<String> {
        (path == self.profile.files[0].path).then(|| self.source.clone())
    }
}

impl Builder<'_> {
    /// An instruction without specialized forms on the first `part` of the line.
    pub fn op(self, opcode: &str, argument: &str, line: u32, part: &str, executions: u64) -> Self {
        let starts_line = !self
            .code
            .instructions
            .iter()
            .any(|known| known.position.is_some_and(|position| position.line == line));
        let text = self.source.split('\n').nth(line as usize - 1).unwrap();
        let start = text
            .find(part)
            .unwrap_or_else(|| panic!("{part:?} is not on line {line}: {text:?}"));
        let columns = (
            u32::try_from(start).unwrap(),
            u32::try_from(start + part.len()).unwrap(),
        );
        self.code.instructions.push(Instruction {
            offset: 2 * u32::try_from(self.code.instructions.len()).unwrap(),
            opcode: opcode.to_owned(),
            argument: argument.to_owned(),
            position: Some(Position {
                line,
                end_line: line,
                columns: Some(columns),
            }),
            starts_line,
            executions: Some(executions),
            state: if executions == 0 {
                State::NotExecuted
            } else {
                State::Basic
            },
            time: None,
            site: None,
        });
        self
    }

    /// Lets the last expression end further down.
    pub fn until(self, end_line: u32, end_column: u32) -> Self {
        let position = self
            .code
            .instructions
            .last_mut()
            .unwrap()
            .position
            .as_mut()
            .unwrap();
        position.end_line = end_line;
        position.columns = Some((position.columns.unwrap().0, end_column));
        self
    }

    /// Takes the last instruction's position away.
    pub fn artificial(self) -> Self {
        let last = self.code.instructions.last_mut().unwrap();
        (last.position, last.starts_line) = (None, false);
        self
    }

    /// Makes the last instruction a site in a specialized form without misses.
    pub fn specialized(self, form: &str) -> Self {
        self.site(State::Specialized, Some(form), &[], 0)
    }

    /// Makes the last instruction a site that stays generic.
    pub fn generic(self) -> Self {
        self.site(State::Unspecialized, None, &[], u64::MAX)
    }

    /// Makes the last instruction a site that misses, by form.
    pub fn missing(self, form: &str, seen: &[(&str, u64)]) -> Self {
        let state = if seen.len() > 1 {
            State::Polymorphic
        } else {
            State::Deopting
        };
        self.site(state, Some(form), seen, 0)
    }

    /// Makes the last instruction's misses a lower bound.
    pub fn inferred(self) -> Self {
        let last = self.code.instructions.last_mut().unwrap();
        let misses = last.site.as_mut().unwrap().misses.as_mut().unwrap();
        (misses.method, misses.at_least) = (Method::Inferred, true);
        self
    }

    pub fn state(self, state: State) -> Self {
        self.site(state, None, &[], 0)
    }

    fn site(self, state: State, form: Option<&str>, seen: &[(&str, u64)], deferred: u64) -> Self {
        let last = self.code.instructions.last_mut().unwrap();
        let count = seen.iter().map(|(_, misses)| misses).sum();
        let forms_seen = seen
            .iter()
            .map(|(form, misses)| ((*form).to_owned(), *misses))
            .collect();
        last.state = state;
        last.site = Some(Box::new(Site {
            form: form.map(str::to_owned),
            forms_seen,
            misses: Some(Misses {
                count,
                method: Method::Counted,
                at_least: false,
            }),
            deferred: Some(deferred.min(last.executions.unwrap())),
            failed_attempts: (state == State::Unspecialized).then_some(7),
            types: Vec::new(),
        }));
        self
    }
}

pub const KERN: &str = r#""""Bodies under gravity."""
import math


class Body:
    __slots__ = ("x", "v", "mass")

    def __init__(self, x, v, mass):
        """Put a body somewhere.

        x     where it is
        v     how fast it goes
        mass  how heavy it is, and
              nothing else
        """
        self.x = x
        self.v = v
        self.mass = mass


def advance(bodies, n):
    t = 0.0
    for _ in range(n):
        for b in bodies:
            b.x = b.x + b.v * 0.01
            t += b.x % 7
            if t < 0:
                # cannot happen
                raise ValueError(
                    "time runs"
                    " backwards",
                    t,
                )
    return t + weight(bodies)


def weight(bodies):
    return sum(b.mass for b in bodies)
"#;

/// A function with a generic site, a missing one and a callee with a generator expression.
pub fn kern() -> Fixture {
    let mut fixture = Fixture::new("kern.py", "advance", KERN);
    fixture
        .code("<module>", (1, 38), 1)
        .op("IMPORT_NAME", "math", 2, "import math", 1)
        .op("STORE_NAME", "advance", 21, "def advance", 1)
        .op("STORE_NAME", "weight", 37, "def weight", 1);
    fixture
        .code("Body", (5, 8), 1)
        .op("STORE_NAME", "__module__", 5, "class Body:", 1);
    fixture
        .code("Body.__init__", (8, 18), 51)
        .op("RESUME", "0", 8, "def __init__", 51)
        .op("STORE_ATTR", "x", 16, "self.x", 51)
        .specialized("STORE_ATTR_SLOT")
        .op("STORE_ATTR", "v", 17, "self.v", 51)
        .specialized("STORE_ATTR_SLOT")
        .op("STORE_ATTR", "mass", 18, "self.mass", 51)
        .specialized("STORE_ATTR_SLOT");
    fixture
        .code("advance", (21, 34), 1)
        .op("RESUME", "0", 21, "def advance", 1)
        .op("LOAD_CONST", "0.0", 22, "0.0", 1)
        .op("FOR_ITER", "", 23, "range(n)", 401)
        .specialized("FOR_ITER_RANGE")
        .op("FOR_ITER", "", 24, "bodies", 20_400)
        .specialized("FOR_ITER_LIST")
        .op("LOAD_FAST", "b", 25, "b.x + ", 20_000)
        .op("LOAD_ATTR", "x", 25, "b.x + ", 20_000)
        .specialized("LOAD_ATTR_SLOT")
        .op("LOAD_ATTR", "v", 25, "b.v", 20_000)
        .missing(
            "LOAD_ATTR_SLOT",
            &[("LOAD_ATTR_INSTANCE_VALUE", 4), ("LOAD_ATTR_SLOT", 1_203)],
        )
        .op("BINARY_OP", "*", 25, "b.v * 0.01", 20_000)
        .specialized("BINARY_OP_MULTIPLY_FLOAT")
        .op("STORE_ATTR", "x", 25, "b.x =", 20_000)
        .specialized("STORE_ATTR_SLOT")
        .op("LOAD_ATTR", "x", 26, "b.x", 20_000)
        .specialized("LOAD_ATTR_SLOT")
        .op("BINARY_OP", "%", 26, "b.x % 7", 20_000)
        .generic()
        .op("BINARY_OP", "+=", 26, "t += b.x % 7", 20_000)
        .specialized("BINARY_OP_ADD_FLOAT")
        .op("COMPARE_OP", "<", 27, "t < 0", 20_000)
        .generic()
        .op("RAISE_VARARGS", "1", 29, "raise ValueError(", 0)
        .until(33, 17)
        .op("CALL", "1", 34, "weight(bodies)", 1)
        .state(State::Cold)
        .op("JUMP_BACKWARD", "", 34, "return", 20_000)
        .artificial();
    fixture
        .code("weight", (37, 38), 1)
        .op("RESUME", "0", 37, "def weight", 1)
        .op("CALL", "1", 38, "sum(b.mass for b in bodies)", 1)
        .state(State::Cold);
    fixture
        .code("weight.<locals>.<genexpr>", (38, 38), 1)
        .op("FOR_ITER", "", 38, "bodies)", 5_000)
        .specialized("FOR_ITER_LIST")
        .op("LOAD_ATTR", "mass", 38, "b.mass", 5_000)
        .missing("LOAD_ATTR_SLOT", &[("LOAD_ATTR_SLOT", 900)])
        .inferred();
    fixture
}
