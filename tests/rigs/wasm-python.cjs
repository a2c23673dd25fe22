// `python ARGS` for CPython compiled to WebAssembly, as the npm package pyodide holds it.
//
//     node wasm-python.cjs HOME PROGRAM ARGS...
//
// HOME is the unpacked package, PROGRAM what sys.executable shall be. The host's folders are
// mounted under their own names; environment, arguments, standard streams, current folder and
// exit status are those of a native interpreter. There are no processes, threads or signals.
// Pyodide's own start-up, which loads a Python package for talking to JavaScript, is left out:
// it takes four fifths of the time and nothing here needs it.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [home, program, ...args] = process.argv.slice(2);
const OWN = new Set(["dev", "lib", "proc", "sys"]); // the WebAssembly side has these itself

function mountHost(FS) {
  for (const name of fs.readdirSync("/")) {
    const folder = "/" + name;
    if (OWN.has(name)) continue;
    try {
      if (!fs.statSync(folder).isDirectory()) continue;
      FS.mkdirTree(folder);
      FS.mount(FS.filesystems.NODEFS, { root: folder }, folder);
    } catch {
      // Not readable for us, so not for Python either.
    }
  }
  FS.chdir(process.cwd());
}

function prepare(Module) {
  const { FS } = Module;
  FS.mkdirTree("/lib/python3.12/site-packages");
  FS.writeFile("/lib/python312.zip", fs.readFileSync(path.join(home, "python_stdlib.zip")));
  mountHost(FS);
  Object.assign(Module.ENV, process.env);
  // Without it the interpreter ends before `_run_main` is called; an empty value means no.
  Module.ENV.PYTHONINSPECT = "";
}

async function main() {
  globalThis.require = require;
  globalThis.__dirname = home;
  const glue = path.join(home, "pyodide.asm.js");
  globalThis.__filename = glue;
  vm.runInThisContext(fs.readFileSync(glue, "utf8"), { filename: glue });
  const API = { config: { jsglobals: globalThis, env: {}, args, packages: [], indexURL: home + "/" } };
  API.sitePackages = "/lib/python3.12/site-packages";
  const settings = {
    API,
    arguments: args,
    thisProgram: program,
    preRun: [prepare],
    noImageDecoding: true,
    noAudioDecoding: true,
    locateFile: (file) => path.join(home, file),
    quit(status, thrown) {
      throw Object.assign(thrown ?? {}, { status });
    },
    instantiateWasm(imports, done) {
      WebAssembly.instantiate(fs.readFileSync(path.join(home, "pyodide.asm.wasm")), imports).then(
        ({ instance, module }) => done(instance, module),
      );
      return {};
    },
  };
  const Module = await globalThis._createPyodideModule(settings);
  API.initializeStreams();
  const status = Module._run_main();
  // Runs exit functions and flushes what is still buffered; 120 is the interpreter's own answer.
  return Module._Py_FinalizeEx() < 0 ? 120 : status;
}

main().then(
  (status) => process.exit(status),
  (thrown) => {
    if (typeof thrown?.status === "number") process.exit(thrown.status);
    console.error(thrown);
    process.exit(134); // as a native process that aborted
  },
);
