#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bytecost_fuzz::any(bytes));
