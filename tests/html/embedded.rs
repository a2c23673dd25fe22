//! The data of a page as records again, in the words of the JSON report.

use serde_json::{Value, json};

/// The text of the page's data.
pub fn text(page: &str) -> &str {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .expect("the data");
    rest.split_once("</script>").expect("its end").0
}

/// The data of a page.
pub fn data(page: &str) -> Value {
    serde_json::from_str(text(page)).expect("the data is JSON")
}

/// Its files with what the JSON report says of them too.
pub fn files(data: &Value) -> Value {
    let files = data["files"].as_array().expect("files");
    files.iter().map(|file| self::file(data, file)).collect()
}

fn file(data: &Value, file: &Value) -> Value {
    let functions = &file["functions"];
    let count = functions["qualname"].as_array().expect("functions").len();
    let listed: Value = (0..count)
        .map(|at| {
            json!({
                "qualname": functions["qualname"][at],
                "line": functions["line"][at],
                "calls": functions["calls"][at],
                "instructions": functions["instructions"][at],
                "instruction_share": functions["share"][at],
            })
        })
        .collect();
    let lines = &file["lines"];
    let firsts: Vec<_> = lines["sites"]
        .as_array()
        .expect("lines")
        .iter()
        .map(index)
        .collect();
    let every = file["sites"]["offset"].as_array().expect("sites").len();
    let numbers: Value = (0..firsts.len())
        .map(|at| {
            let end = firsts.get(at + 1).copied().unwrap_or(every);
            json!({
                "line": lines["number"][at],
                "executions": lines["executions"][at],
                "instructions": lines["instructions"][at],
                "instruction_share": lines["share"][at],
                "sites": (firsts[at]..end).map(|site| self::site(data, file, site)).collect::<Value>(),
            })
        })
        .collect();
    json!({"path": file["path"], "functions": listed, "lines": numbers})
}

fn site(data: &Value, file: &Value, at: usize) -> Value {
    let sites = &file["sites"];
    let function = index(&sites["function"][at]);
    let text = |column: &str| data["texts"][index(&sites[column][at])].clone();
    let form = &sites["form"][at];
    let at_least = sites["at_least"].as_array().expect("indices");
    json!({
        "function": file["functions"]["qualname"][function],
        "function_line": file["functions"]["line"][function],
        "offset": sites["offset"][at],
        "opcode": text("opcode"),
        "argument": text("argument"),
        "form": if form.is_null() { Value::Null } else { text("form") },
        "state": data["states"][index(&sites["state"][at])]["word"],
        "executions": sites["executions"][at],
        "misses": sites["misses"][at],
        "misses_at_least": at_least.iter().any(|bounded| index(bounded) == at),
        "deferred": sites["deferred"][at],
    })
}

fn index(value: &Value) -> usize {
    let index = value.as_u64().expect("an index");
    usize::try_from(index).expect("a small one")
}
