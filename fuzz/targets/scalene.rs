#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bytecost_fuzz::known(bytecost::dump::Format::Scalene, bytes));
